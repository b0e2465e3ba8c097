import { describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { compare, makeClip, packetsOf, written } from "./clips.fixture.ts";
import { inRunsOf, putTogether, takeApart, withoutIndex } from "./remade-clip.fixture.ts";
import { repairSource } from "./repair-source.ts";

function clipOf(seconds: number, seed: number): Uint8Array {
  const noise = [seed, seed + 1].map((own) => `anoisesrc=d=${seconds}:r=48000:seed=${own}[n${own}]`).join(";");
  const sounds = `-filter_complex ${noise} -map 0:v -map [n${seed}] -map [n${seed + 1}]`;
  return makeClip(`${sounds} -c:v libx264 -preset ultrafast -g 30 -c:a aac`, "mp4", seconds);
}

describe("two equal sound tracks", () => {
  const clips = [clipOf(8, 1), clipOf(5, 3)];

  it.each([
    ["a second of each in a row", 1, 0],
    ["half a second of each in a row", 0.5, 0],
    ["half a second of each in a row, with a hole", 0.5, 16_384],
    ["a picture's time of each in a row", 1 / 30, 0],
  ])("are told apart: %s", async (_what, seconds, holeBytes) => {
    const [whole, reference] = clips.map((clip) => inRunsOf(seconds, clip)) as [Uint8Array, Uint8Array];
    const damaged = withoutIndex(whole);
    damaged.fill(0, damaged.length >> 1, (damaged.length >> 1) + holeBytes);
    const outcome = await repairSource(createMemorySource(damaged), [
      { name: "reference.mp4", source: createMemorySource(reference) },
    ]);
    const repaired = written(damaged, outcome);
    if (holeBytes === 0) expect(compare(whole, repaired).kept).toBe(packetsOf(whole).length);
    const trackOf = new Map(packetsOf(whole).map(({ bytes, trackId }) => [bytes, trackId]));
    const strays = packetsOf(repaired).filter(({ bytes, trackId }) => trackOf.get(bytes) !== trackId);
    // Where one run ends and the next one begins, a packet may change places.
    expect(strays.length).toBeLessThanOrEqual(8);
  });

  it("are told apart where the second one ends early", async () => {
    const { movie, ...parts } = takeApart(clips[0] as Uint8Array);
    const counts = movie.tracks.map(() => 0);
    const samples = parts.samples.filter(({ track }) => track < 2 || ++(counts[track] as number) <= 100);
    const whole = putTogether({ ...parts, movie, samples });
    const reference = clips[1] as Uint8Array;
    const damaged = withoutIndex(whole);
    const outcome = await repairSource(createMemorySource(damaged), [
      { name: "reference.mp4", source: createMemorySource(reference) },
    ]);
    const trackOf = new Map(packetsOf(whole).map(({ bytes, trackId }) => [bytes, trackId]));
    const strays = packetsOf(written(damaged, outcome)).filter(({ bytes, trackId }) => trackOf.get(bytes) !== trackId);
    expect(strays.length).toBeLessThanOrEqual(16);
  });
});
