import { describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { serializeBox } from "../media/isobmff/box-writer.ts";
import { compare, makeClip, packetsOf, written } from "./clips.fixture.ts";
import {
  type ClipSample,
  inRunsOf,
  type PaddingAt,
  putTogether,
  runsAt,
  takeApart,
  withHits,
  withoutBytes,
  withoutIndex,
} from "./remade-clip.fixture.ts";
import { repairSource } from "./repair-source.ts";

function freeBox(bytes: number): Uint8Array {
  return bytes === 0 ? new Uint8Array(0) : serializeBox("free", new Uint8Array(bytes - 8).fill(0x47));
}

describe("a recorder that leaves bytes unused between packets", () => {
  const coded = makeClip("-c:v libx264 -preset ultrafast -g 30 -c:a aac", "mp4", 6);
  const raw = makeClip("-c:v libx264 -preset ultrafast -g 30 -c:a pcm_s16be", "mov", 6);
  it.each<[string, Uint8Array, PaddingAt, ((bytes: number) => Uint8Array)?]>([
    ["runs at multiples of 4", coded, runsAt(4)],
    [
      "packets at multiples of 512, filled with ones",
      coded,
      (offset) => -offset & 511,
      (bytes) => new Uint8Array(bytes).fill(0xff),
    ],
    [
      "a box of positions after each run of sound",
      coded,
      (_offset, sample, before) => (before && before.track > sample.track ? 4096 : 0),
      freeBox,
    ],
    ["runs of raw sound at multiples of 4096", raw, runsAt(4096)],
  ])("loses nothing, and no time: %s", async (_what, clip, paddingAt, fill) => {
    const parts = takeApart(clip);
    const whole = putTogether(parts, paddingAt, fill);
    const damaged = withoutIndex(whole);
    const reference = putTogether(
      { ...parts, samples: parts.samples.slice(0, parts.samples.length >> 1) },
      paddingAt,
      fill,
    );
    const outcome = await repairSource(createMemorySource(damaged), [
      { name: "reference.mp4", source: createMemorySource(reference) },
    ]);
    const { kept, foreign, worstSeconds } = compare(whole, written(damaged, outcome));
    expect({ kept, foreign }).toEqual({ kept: packetsOf(whole).length, foreign: 0 });
    // One frame of raw sound is like many others.
    if (clip === coded) expect(worstSeconds).toBeLessThan(0.001);
    expect(outcome.report.findings).toEqual([]);
    expect(outcome.report.confidence).toBeGreaterThan(0.99);
  });

  it("takes no sound for a picture where none begins", async () => {
    const parts = takeApart(inRunsOf(1 / 30, raw));
    const slice = (parts.samples.find(({ track, isSync }) => track === 0 && !isSync) as ClipSample).bytes.subarray(4);
    let inRun = 0;
    // Two zeros of padding and this look like a picture of 400 bytes.
    const samples = parts.samples.map((sample, index) => {
      inRun = sample.track === parts.samples[index - 1]?.track ? inRun + 1 : 0;
      if (sample.track === 0 || inRun > 12) return sample;
      const bytes = inRun === 0 ? Uint8Array.of(0x01, 0x90) : slice.slice(2 * inRun - 2, 2 * inRun);
      return { ...sample, bytes };
    });
    const whole = putTogether({ ...parts, samples }, runsAt(4));
    const damaged = withoutIndex(whole);
    const outcome = await repairSource(createMemorySource(damaged), [
      { name: "reference.mov", source: createMemorySource(whole) },
    ]);
    const { kept, foreign } = compare(whole, written(damaged, outcome));
    expect({ kept, foreign }).toEqual({ kept: packetsOf(whole).length, foreign: 0 });
  });

  it("learns where runs begin behind missing bytes", async () => {
    const whole = putTogether(takeApart(coded), runsAt(8));
    const damaged = withoutBytes(withoutIndex(whole), Math.floor(whole.length * 0.3), 102);
    const outcome = await repairSource(createMemorySource(damaged), [
      { name: "reference.mp4", source: createMemorySource(whole) },
    ]);
    const { kept, worstSeconds } = compare(whole, written(damaged, outcome));
    expect(packetsOf(whole).length - kept).toBeLessThanOrEqual(6);
    expect(worstSeconds).toBeLessThan(0.03);
  });

  it("does not pass over packets that are damaged as if they were padding", async () => {
    const paddingAt = runsAt(65_536);
    const rows = inRunsOf(1, coded);
    const whole = putTogether(takeApart(rows), paddingAt);
    const outcome = await repairSource(createMemorySource(withHits(whole, 1, 100)), [
      { name: "reference.mp4", source: createMemorySource(whole) },
    ]);
    const { kept, worstSeconds } = compare(whole, written(withHits(whole, 1, 100), outcome));
    expect(packetsOf(whole).length - kept).toBeLessThanOrEqual(6);
    expect(worstSeconds).toBeLessThan(0.03);
    expect(outcome.report.findings.length).toBeGreaterThan(0);
  });
});
