import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crc8, crc16 } from "./checksums.ts";
import { type FlacConfig, parseFlacConfig } from "./flac-config.ts";
import { createFlacProbe } from "./flac-probe.ts";

const SOUND = "0.4*sin(2764*t)*lt(t\\,1)+0.5*random(0)*between(t\\,0.3\\,0.5)|0.3*sin(2073*t)";

describe("createFlacProbe on ffmpeg's frames", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "reelmill-flac-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    { channels: 2, options: ["-sample_fmt", "s16"] },
    { channels: 1, options: ["-sample_fmt", "s32", "-compression_level", "12"] },
    { channels: 2, options: ["-sample_fmt", "s16", "-compression_level", "0"] },
    { channels: 2, options: ["-sample_fmt", "s32", "-ch_mode", "mid_side"] },
    { channels: 2, options: ["-sample_fmt", "s16", "-ch_mode", "right_side", "-lpc_type", "none"] },
  ])("walks from frame to frame to the end: $channels channels $options", ({ channels, options }) => {
    const file = join(folder, "sound.flac");
    const source = `aevalsrc=${SOUND}:s=44100:d=2`;
    const output = ["-ac", `${channels}`, "-c:a", "flac", ...options, file];
    execFileSync("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", source, ...output]);
    const bytes = new Uint8Array(readFileSync(file));
    const config = parseFlacConfig(bytes);
    expect(config).toMatchObject({ channels, samplingRateHz: 44100 });
    const probe = createFlacProbe(config);
    let at = firstFrame(bytes);
    let samples = 0;
    for (let frame = 0; at < bytes.length; frame++) {
      const answer = probe.parseFrame(bytes, at, bytes.length);
      if (answer.kind !== "frame") throw new Error(`Frame at ${at} is answered with ${answer.kind}.`);
      expect(answer.codedNumber).toBe(frame);
      expect(probe.parseFrame(bytes, at, at + answer.sizeBytes - 1).kind).toBe("more");
      samples += answer.durationSamples;
      at += answer.sizeBytes;
    }
    expect(at).toBe(bytes.length);
    expect(samples).toBe(88200);
    // A single wrong bit anywhere is noticed.
    const start = firstFrame(bytes);
    const broken = bytes.slice();
    broken[start + 200] = (broken[start + 200] ?? 0) ^ 4;
    expect(probe.probe(broken, start, broken.length)).toEqual({ kind: "no" });
  });
});

describe("createFlacProbe", () => {
  const config: FlacConfig = {
    minBlockSamples: 4096,
    maxBlockSamples: 4096,
    samplingRateHz: 48000,
    channels: 2,
    bitsPerSample: 16,
  };

  it("survives any bytes and never looks past the end", () => {
    const probe = createFlacProbe(config);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(120), (tail, end) => {
        const bytes = Uint8Array.from([
          0xff,
          0xf8,
          0xca,
          0x18,
          0,
          crc8(Uint8Array.of(0xff, 0xf8, 0xca, 0x18, 0), 0, 5),
          ...tail,
        ]);
        const cut = bytes.slice(0, end);
        expect(probe.probe(bytes, 0, end)).toEqual(probe.probe(cut, 0, cut.length));
      }),
    );
  });

  it("parses dfLa payloads and refuses others", () => {
    const info = [0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x0b, 0xb8, 0x02, 0xf0, ...new Uint8Array(20)];
    expect(parseFlacConfig(Uint8Array.from([0, 0, 0, 0, 0x80, 0, 0, 34, ...info]))).toEqual(config);
    expect(parseFlacConfig(Uint8Array.from(info))).toEqual(config);
    expect(() => parseFlacConfig(Uint8Array.of(1, 2, 3))).toThrow(/STREAMINFO/);
  });
});

it("computes the checksums of the format", () => {
  const digits = new TextEncoder().encode("123456789");
  expect(crc8(digits, 0, digits.length)).toBe(0xf4);
  expect(crc16(digits, 0, digits.length)).toBe(0xfee8);
});

/** Index after the metadata blocks of a native FLAC file. */
function firstFrame(bytes: Uint8Array): number {
  let at = 4;
  for (let isLast = false; !isLast; ) {
    isLast = ((bytes[at] ?? 0x80) & 0x80) !== 0;
    at += 4 + (bytes[at + 1] ?? 0) * 65536 + (bytes[at + 2] ?? 0) * 256 + (bytes[at + 3] ?? 0);
  }
  return at;
}
