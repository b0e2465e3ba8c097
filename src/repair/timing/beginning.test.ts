import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { compare, makeClip, packetsOf, written } from "../clips.fixture.ts";
import { inRunsOf, putTogether, takeApart, withoutIndex } from "../remade-clip.fixture.ts";
import { repairSource } from "../repair-source.ts";

/** What is left of a clip, seconds of each track, and how it begins. */
interface Trim {
  readonly pictures: number;
  readonly sound: number;
  /** Seconds before, or, below 0, media left out. */
  readonly offsets: readonly [pictures: number, sound: number];
}

const VIDEO = 0;
/** Of AAC, as ffmpeg's encoder puts it in front. */
const RUN_IN = 1024 / 48_000;

/** A copy that begins with a key picture. */
function trimmed(clip: Uint8Array, { pictures, sound, offsets }: Trim): Uint8Array {
  const { ftyp, movie, samples } = takeApart(clip);
  const ticks = movie.tracks.map(() => 0);
  const kept = samples.filter(({ track, durationTicks }) => {
    const at = ticks[track] as number;
    ticks[track] = at + durationTicks;
    return at / (movie.tracks[track]?.timescale ?? 1) >= (track === VIDEO ? pictures : sound) - 0.001;
  });
  const tracks = movie.tracks.map((track, index) => {
    const offset = offsets[index] as number;
    const delay = { durationTicks: Math.round(offset * movie.timescale), mediaTimeTicks: -1, rate: 1 };
    const mediaTimeTicks = Math.max(0, Math.round(-offset * track.timescale));
    const media = { durationTicks: 3 * movie.timescale, mediaTimeTicks, rate: 1 };
    return { ...track, edits: offset > 0 ? [delay, media] : [media] };
  });
  return putTogether({ ftyp, movie: { ...movie, tracks }, samples: kept });
}

describe("a recording whose reference does not begin as recorders begin", () => {
  let clip: Uint8Array;

  beforeAll(() => {
    clip = makeClip("-c:v libx264 -preset ultrafast -g 30 -c:a aac", "mp4", 6);
  });

  async function repaired(whole: Uint8Array, reference: Uint8Array): Promise<Uint8Array> {
    const damaged = withoutIndex(whole);
    const outcome = await repairSource(createMemorySource(damaged), [
      { name: "reference.mp4", source: createMemorySource(reference) },
    ]);
    return written(damaged, outcome);
  }

  it.each<[string, Trim]>([
    ["as ffmpeg copies, from the key picture before", { pictures: 2, sound: 2, offsets: [-0.5, -0.5 - RUN_IN] }],
    ["as phones trim, sound cut off later than pictures", { pictures: 2, sound: 2.5, offsets: [-0.5, 0] }],
    ["as ffmpeg copies what it has read, pictures that wait", { pictures: 3, sound: 2.5, offsets: [0.5, 0] }],
  ])("is shown from its first picture on, in step: %s", async (_what, trim) => {
    const result = await repaired(clip, trimmed(clip, trim));
    expect(compare(clip, result).kept).toBe(packetsOf(clip).length);
    expect(compare(clip, result).worstSeconds).toBeLessThan(0.025);
  });

  it("keeps its own edits where the reference is the same recording", async () => {
    const whole = trimmed(clip, { pictures: 0, sound: 0.5, offsets: [-0.5, -RUN_IN] });
    expect(compare(whole, await repaired(whole, whole)).worstSeconds).toBe(0);
  });

  it("keeps sound late that is late in the reference, and here", async () => {
    const late: Trim = { pictures: 0, sound: 0.7, offsets: [0, 0.7 - RUN_IN] };
    const whole = trimmed(clip, late);
    const other = trimmed(makeClip("-c:v libx264 -preset ultrafast -g 30 -c:a aac", "mp4", 4, 660), late);
    expect(compare(whole, await repaired(whole, other)).worstSeconds).toBeLessThan(0.002);
  });

  it("lets sound begin late that did not in the reference", async () => {
    const whole = trimmed(clip, { pictures: 0, sound: 0.7, offsets: [0, 0.7 - RUN_IN] });
    const other = makeClip("-c:v libx264 -preset ultrafast -g 30 -c:a aac", "mp4", 4, 660);
    expect(compare(whole, await repaired(whole, other)).worstSeconds).toBeLessThan(0.04);
  });

  it("is not moved by rows that begin with the other track", async () => {
    const whole = inRunsOf(1, clip, true);
    const other = inRunsOf(1, makeClip("-c:v libx264 -preset ultrafast -g 30 -c:a aac", "mp4", 4, 660));
    expect(compare(whole, await repaired(whole, other)).worstSeconds).toBeLessThan(0.002);
  });
});
