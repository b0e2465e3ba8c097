import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { compare, makeClip, packetsOf, written } from "../clips.fixture.ts";
import { inRunsOf, withHits, withoutIndex } from "../remade-clip.fixture.ts";
import { repairSource } from "../repair-source.ts";

const CODECS = "-c:v libx264 -preset ultrafast -g 30 -c:a aac";
const SLOWER = "-vf select=lt(t\\,4)+not(mod(n\\,2)) -fps_mode vfr";

describe("pictures of another rate than the reference's", () => {
  let reference: Uint8Array;

  beforeAll(() => {
    reference = makeClip(CODECS);
  });

  async function repaired(clip: Uint8Array, pattern = reference, damaged = withoutIndex(clip)) {
    const outcome = await repairSource(createMemorySource(damaged), [
      { name: "reference.mp4", source: createMemorySource(pattern) },
    ]);
    const video = outcome.report.tracks.find(({ kind }) => kind === "video");
    return { ...compare(clip, written(damaged, outcome)), timing: video?.timing, otherRate: video?.otherRate };
  }

  for (const [learnt, told] of [
    [30, 15],
    [30, 25],
    [15, 30],
  ] as const) {
    it(`shows ${told} pictures a second where the reference has ${learnt}`, async () => {
      const clip = makeClip(`-r ${told} ${CODECS}`, "mp4", 8, 660);
      expect(await repaired(clip, makeClip(`-r ${learnt} ${CODECS}`))).toEqual({
        kept: packetsOf(clip).length,
        foreign: 0,
        worstSeconds: 0,
        timing: "other-clock",
        otherRate: { told, learnt },
      });
    });
  }

  it("keeps to television's rates where the reference has one, and moves pictures that are reordered with it", async () => {
    const reordered = `${CODECS} -bf 3 -x264-params b-adapt=0`;
    const clip = makeClip(`-r 30000/1001 ${reordered}`, "mp4", 8, 660);
    const { worstSeconds, otherRate } = await repaired(clip, makeClip(`-r 15000/1001 ${reordered}`));
    expect(otherRate?.told).toBeCloseTo(30_000 / 1001, 6);
    expect(worstSeconds).toBeLessThan(0.000_01);
  });

  for (const seconds of [0, 1]) {
    it(`follows the sound where pictures come slower from the middle on, ${seconds} s of a track in a row`, async () => {
      const made = makeClip(`${SLOWER} ${CODECS}`, "mp4", 10, 660);
      const clip = seconds === 0 ? made : inRunsOf(seconds, made);
      const pattern = seconds === 0 ? reference : inRunsOf(seconds, reference);
      const { kept, worstSeconds, otherRate } = await repaired(clip, pattern);
      expect(kept).toBe(packetsOf(clip).length);
      expect(otherRate?.told).toBeLessThan(25);
      expect(worstSeconds).toBeLessThan(1.001 / 15);
    });
  }

  it("believes a reference that the sound contradicts by less than two rates differ", async () => {
    const clip = makeClip(`-r 30000/1001 ${CODECS}`, "mp4", 8, 660);
    const { timing, otherRate } = await repaired(clip);
    expect({ timing, otherRate }).toEqual({ timing: "constant-rate", otherRate: undefined });
  });

  it("does not take pictures that damage took for ones that never came", async () => {
    const clip = makeClip(CODECS, "mp4", 8, 660);
    const { kept, worstSeconds, otherRate } = await repaired(clip, reference, withHits(clip, 0, 5));
    expect(kept).toBeLessThan(packetsOf(clip).length - 40);
    expect(otherRate).toBeUndefined();
    expect(worstSeconds).toBeLessThan(0.05);
  });

  it("does not take raw sound of fewer channels for slower pictures", async () => {
    const pcm = "-c:v libx264 -preset ultrafast -g 30 -c:a pcm_s16le";
    const { timing } = await repaired(makeClip(`${pcm} -ac 2`, "mov", 8, 660), makeClip(`${pcm} -ac 1`, "mov"));
    expect(timing).toBe("constant-rate");
  });
});
