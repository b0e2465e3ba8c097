import { describe, expect, it } from "vitest";
import { listRungs, parseRates } from "./read-ladder.ts";

const main = (...variants: readonly (readonly [uri: string, bitsPerSecond: number])[]): string =>
  `#EXTM3U\n${variants.map(([uri, rate]) => `#EXT-X-STREAM-INF:BANDWIDTH=${rate},RESOLUTION=32x18\n${uri}\n`).join("")}`;

const media = (...lines: readonly string[]): string =>
  `#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:6\n${lines.join("\n")}\n#EXT-X-ENDLIST\n`;

describe("the rungs of a package", () => {
  it("are those with pictures, the largest first, each but once", () => {
    const sound = "#EXT-X-STREAM-INF:BANDWIDTH=9\nsound/index.m3u8\n";
    const text = main(["a/index.m3u8", 5], ["b/index.m3u8", 9], ["a/index.m3u8", 8]) + sound;
    expect(listRungs(text)).toEqual(["b/index.m3u8", "a/index.m3u8"]);
  });

  it("lie within it", () => {
    const outside = ["../a.m3u8", "/v1/jobs", "https://elsewhere.example/a.m3u8", "a/..%2f..%2fb", "a?b"];
    expect(listRungs(main(...outside.map((uri) => [uri, 1] as const)))).toEqual([]);
  });
});

describe("bit rates over time", () => {
  it("come from byte ranges", () => {
    const text = media("#EXTINF:6,", "#EXT-X-BYTERANGE:3000@0", "m", "#EXTINF:2,", "#EXT-X-BYTERANGE:500@3000", "m");
    expect(parseRates(text)).toEqual([
      { startSeconds: 0, endSeconds: 6, bitsPerSecond: 4000 },
      { startSeconds: 6, endSeconds: 8, bitsPerSecond: 2000 },
    ]);
  });

  it("come from EXT-X-BITRATE where segments are files of their own", () => {
    const text = media(
      "#EXT-X-BITRATE:300",
      "#EXTINF:6,",
      "a",
      "#EXTINF:6,",
      "b",
      "#EXT-X-BITRATE:120",
      "#EXTINF:1,",
      "c",
    );
    expect(parseRates(text).map(({ bitsPerSecond }) => bitsPerSecond)).toEqual([300_000, 300_000, 120_000]);
  });

  it("are unknown where neither is there", () => expect(parseRates(media("#EXTINF:6,", "a"))).toEqual([]));

  it("of long recordings are those of several segments together", () => {
    const segments = Array.from(
      { length: 601 },
      (_, index) => `#EXTINF:6,\n#EXT-X-BYTERANGE:${index % 2 ? 600 : 1200}@0\nm`,
    );
    const rates = parseRates(media(...segments));
    expect(rates.length).toBe(201);
    expect(rates.at(-1)?.endSeconds).toBe(3606);
    expect(rates[0]?.bitsPerSecond).toBeCloseTo((8 * 3000) / 18, 6);
  });
});
