import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AlacConfig, parseAlacConfig } from "./alac-config.ts";
import { createAlacProbe } from "./alac-probe.ts";

const LEFT = "0.4*sin(2764*t)*lt(t\\,1)+0.5*random(0)*between(t\\,0.3\\,0.5)";
const RIGHT = "0.3*sin(2073*t)*lt(t\\,1.3)";

describe("createAlacProbe on ffmpeg's packets", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "reelmill-alac-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    { sound: [LEFT], layout: "mono", options: ["-sample_fmt", "s16p"], name: "sound.m4a" },
    { sound: [LEFT, RIGHT], layout: "stereo", options: ["-sample_fmt", "s16p"], name: "sound.mov" },
    { sound: [LEFT, RIGHT], layout: "stereo", options: ["-sample_fmt", "s32p"], name: "sound.m4a" },
    { sound: ["random(0)*2-1", RIGHT], layout: "stereo", options: ["-sample_fmt", "s16p"], name: "sound.m4a" },
    { sound: [LEFT, RIGHT, LEFT], layout: "3.0", options: ["-sample_fmt", "s16p"], name: "sound.m4a" },
    {
      sound: [LEFT, RIGHT],
      layout: "stereo",
      options: ["-sample_fmt", "s16p", "-compression_level", "0"],
      name: "sound.m4a",
    },
  ])("finds the end of each packet: $layout $options", ({ sound, layout, options, name }) => {
    const file = join(folder, name);
    const source = `aevalsrc=${sound.join("|")}:s=44100:d=2:c=${layout}`;
    execFileSync("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:a", "alac", ...options, file]);
    const bytes = new Uint8Array(readFileSync(file));
    const config = parseAlacConfig(bytes);
    expect(config).toMatchObject({ channels: sound.length, samplingRateHz: 44100 });
    const probe = createAlacProbe(config);
    const packets = listPackets(file);
    let samples = 0;
    for (const { offset, sizeBytes } of packets) {
      const answer = probe.probe(bytes, offset, bytes.length);
      expect(answer).toMatchObject({ kind: "packet", sizeBytes });
      expect(probe.probe(bytes, offset, offset + sizeBytes)).toEqual(answer);
      expect(probe.probe(bytes, offset, offset + sizeBytes - 1).kind).toBe("more");
      samples += answer.kind === "packet" ? (answer.durationSamples ?? 0) : 0;
    }
    expect(samples).toBe(88200);
  });
});

describe("createAlacProbe", () => {
  const cookie = [0, 0, 0x10, 0, 0, 16, 40, 10, 14, 2, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xac, 0x44];
  const config: AlacConfig = {
    frameSamples: 4096,
    bitsPerSample: 16,
    riceHistoryMultiplier: 40,
    riceInitialHistory: 10,
    riceParameterLimit: 14,
    channels: 2,
    samplingRateHz: 44100,
  };

  it("finds the cookie bare, boxed and in a QuickTime wave", () => {
    const alac = [0x61, 0x6c, 0x61, 0x63];
    const box = [0, 0, 0, 36, ...alac, 0, 0, 0, 0, ...cookie];
    const wave = [0, 0, 0, 12, 0x66, 0x72, 0x6d, 0x61, ...alac, ...box, 0, 0, 0, 8, 0, 0, 0, 0];
    for (const bytes of [cookie, [0, 0, 0, 0, ...cookie], box, wave]) {
      expect(parseAlacConfig(Uint8Array.from(bytes))).toEqual(config);
    }
    expect(() => parseAlacConfig(new Uint8Array(36))).toThrow(/no configuration/);
  });

  it("survives any bytes and never looks past the end", () => {
    const probe = createAlacProbe({ ...config, frameSamples: 64 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (tail, end) => {
        const bytes = Uint8Array.from([0x20, 0, 0, ...tail]);
        const cut = bytes.slice(0, end);
        expect(probe.probe(bytes, 0, end)).toEqual(probe.probe(cut, 0, cut.length));
      }),
      { numRuns: 300 },
    );
  });
});

function listPackets(file: string): { readonly offset: number; readonly sizeBytes: number }[] {
  const entries = ["-show_entries", "packet=pos,size", "-of", "csv=p=0"];
  const text = execFileSync("ffprobe", ["-v", "error", ...entries, file], { encoding: "utf8" });
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [sizeBytes, offset] = line.split(",").map(Number);
      return { offset: offset ?? 0, sizeBytes: sizeBytes ?? 0 };
    });
}
