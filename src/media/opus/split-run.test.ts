import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OpusCandidates } from "./candidates.ts";
import { decodeCeltFrame } from "./celt-frame.ts";
import { learnOpusModel, type OpusModel } from "./model.ts";
import { RangeDecoder } from "./range-decoder.ts";
import { splitOpusRun } from "./split-run.ts";
import { parseOpusPacket } from "./toc.ts";

const TONES = "0.2*sin(440*2*PI*t)+0.05*(random(0)-0.5)|0.2*sin(554*2*PI*t)*(0.6+0.4*sin(3*t))+0.06*(random(1)-0.5)";
const BEATS =
  "0.2*sin(330*2*PI*t)*exp(-4*mod(t,0.3))+0.2*(random(0)-0.5)*exp(-25*mod(t,0.5))|0.2*sin(247*2*PI*t)*exp(-3*mod(t,0.4))";

let folder: string;

/** Encodes a sound and returns its packets as a muxer gets them. */
function record(name: string, sound: string, seconds: number, encoder: readonly string[]): Uint8Array[] {
  const path = join(folder, `${name}.mp4`);
  const input = ["-f", "lavfi", "-i", `aevalsrc='${sound}':s=48000:d=${seconds}`];
  execFileSync("ffmpeg", ["-v", "error", "-y", ...input, "-c:a", "libopus", ...encoder, "-strict", "-2", path]);
  const entries = ["-show_entries", "packet=pos,size", "-of", "csv=p=0"];
  const table = execFileSync("ffprobe", ["-v", "error", ...entries, path], { encoding: "utf8" });
  const bytes = new Uint8Array(readFileSync(path));
  return table
    .trim()
    .split("\n")
    .map((line) => line.split(",").map(Number))
    .filter(([size = 0]) => size > 0) // lines of side data have none
    .map(([size = 0, pos = 0]) => bytes.slice(pos, pos + size));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function boundariesOf(parts: readonly Uint8Array[], start = 0): number[] {
  const boundaries = [start];
  for (const part of parts) boundaries.push((boundaries.at(-1) ?? 0) + part.length);
  return boundaries;
}

/** Cuts runs of `count` packets and returns how many came out right, learning from each as a repair does. */
function countRight(packets: readonly Uint8Array[], count: number, model: OpusModel): { right: number; runs: number } {
  let states = model.createStates();
  let right = 0;
  let runs = 0;
  for (let i = 0; i + count <= packets.length; i += count, runs++) {
    const run = packets.slice(i, i + count);
    const bytes = concat(run);
    const stretch = { bytes, baseOffset: 0, startIndex: 0, endIndex: bytes.length };
    const [best] = splitOpusRun({ ...stretch, states }, new OpusCandidates(model));
    if (best?.boundaries.join() === boundariesOf(run).join()) right++;
    for (const packet of run) states = model.observe(packet, states);
  }
  return { right, runs };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-opus-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("decodeCeltFrame", () => {
  it("reads every packet of an encoder to an end as the encoder leaves it, and few wrong ends", () => {
    const packets = record("beats", BEATS, 3, ["-b:a", "96k"]);
    const read = (bytes: Uint8Array, end: number): boolean => {
      const decoder = new RangeDecoder(bytes, 1, end);
      const shape = { lm: 3, channels: 2, startBand: 0, endBand: 21 } as const;
      const { isValid } = decodeCeltFrame(decoder, shape, undefined);
      return isValid && decoder.checkJunction() >= 0;
    };
    let wrongEnds = 0;
    for (const packet of packets) {
      expect(parseOpusPacket(packet, 0, packet.length)?.durationSamples).toBe(960);
      expect(read(packet, packet.length)).toBe(true);
      if (read(concat([packet, packet]), packet.length + 7)) wrongEnds++;
    }
    expect(wrongEnds).toBeLessThan(packets.length * 0.45);
  });
});

describe("splitOpusRun", () => {
  it.each([
    ["music", 2, ["-b:a", "128k"]],
    ["low rate", 3, ["-b:a", "64k"]],
    ["10 ms frames", 3, ["-b:a", "96k", "-frame_duration", "10"]],
    ["constant rate", 2, ["-b:a", "96k", "-vbr", "off"]],
  ])("cuts runs of packets exactly, with a reference of other sound (%s, %i)", (name, count, encoder) => {
    const reference = record(`${name}-reference`, TONES, 1.5, encoder);
    const victim = record(`${name}-victim`, BEATS, 1, encoder);
    const { right, runs } = countRight(victim, count, learnOpusModel(reference));
    expect(runs).toBeGreaterThan(15);
    expect(right).toBe(runs);
  });

  it("finds where a run begins after other bytes", () => {
    const packets = record("begin", TONES, 2, ["-b:a", "96k"]);
    const model = learnOpusModel(packets.slice(0, 60));
    let right = 0;
    const noise = Uint8Array.from({ length: 700 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 0xff);
    for (let i = 60; i + 2 <= 90; i += 2) {
      const run = packets.slice(i, i + 2);
      const bytes = concat([noise, ...run]);
      const starts = new Map(Array.from(bytes, (_, index) => [index, 0] as const));
      const stretch = { bytes, baseOffset: 0, startIndex: 0, endIndex: bytes.length };
      const [best] = splitOpusRun({ ...stretch, starts }, new OpusCandidates(model));
      if (best?.boundaries.join() === boundariesOf(run, noise.length).join()) right++;
    }
    expect(right).toBeGreaterThanOrEqual(13);
  });

  it("tells digital silence", () => {
    const silence = Uint8Array.of(0xfc, 0xff, 0xfe);
    const packets = record("silence", TONES, 1, ["-b:a", "96k"]);
    const run = [silence, silence, packets[20] as Uint8Array];
    const bytes = concat(run);
    const stretch = { bytes, baseOffset: 0, startIndex: 0, endIndex: bytes.length };
    const [best] = splitOpusRun(stretch, new OpusCandidates(learnOpusModel(packets)));
    expect(best?.boundaries).toEqual(boundariesOf(run));
    expect(best?.durationSamples).toBe(3 * 960);
  });

  it("never throws on any bytes", () => {
    const model = learnOpusModel(record("any", TONES, 1, ["-b:a", "64k"]));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(255), (bytes, toc) => {
        const packet = concat([Uint8Array.of(toc), bytes]);
        parseOpusPacket(packet, 0, packet.length);
        parseOpusPacket(packet, 0, packet.length, true);
        const weight = model.weigh(packet, 0, packet.length);
        if (weight) model.score(weight, model.createStates());
        const stretch = { bytes: packet, baseOffset: 0, startIndex: 0, endIndex: packet.length };
        splitOpusRun(stretch, new OpusCandidates(model));
      }),
      { numRuns: 60 },
    );
  });
});

describe("parseOpusPacket", () => {
  it("cuts packets of several frames", () => {
    const code1 = Uint8Array.of(0xfd, 1, 2, 3, 4);
    expect(parseOpusPacket(code1, 0, 5)?.frames).toHaveLength(2);
    expect(parseOpusPacket(code1, 0, 4)).toBeUndefined();
    const code2 = Uint8Array.of(0xfe, 1, 9, 8, 7);
    expect(parseOpusPacket(code2, 0, 5)?.frames).toEqual([
      { startIndex: 2, endIndex: 3 },
      { startIndex: 3, endIndex: 5 },
    ]);
    const padded = Uint8Array.of(0xff, 0x42, 2, 5, 6, 0, 0);
    expect(parseOpusPacket(padded, 0, 7)?.frames).toEqual([
      { startIndex: 3, endIndex: 4 },
      { startIndex: 4, endIndex: 5 },
    ]);
  });

  it("finds the end of a self-delimited packet", () => {
    const bytes = Uint8Array.of(0xfc, 3, 1, 2, 3, 99, 99);
    expect(parseOpusPacket(bytes, 0, bytes.length, true)?.endIndex).toBe(5);
  });
});
