import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { boxAt, compare, makeClip, packetsOf, written } from "./clips.fixture.ts";
import { repairSource } from "./repair-source.ts";

const H264 = "-c:v libx264 -preset ultrafast -g 30 -c:a aac";
let clip: Uint8Array;
let damaged: Uint8Array;
let hevc: Uint8Array;
let jpeg: Uint8Array;

beforeAll(() => {
  clip = makeClip(H264);
  damaged = clip.slice(0, boxAt(clip, "mdat").end);
  hevc = makeClip("-c:v libx265 -preset ultrafast -x265-params log-level=error -c:a aac -ac 2", "mp4", 1);
  jpeg = makeClip("-c:v mjpeg -c:a pcm_s16le", "mov", 1);
});

const repair = (bytes: Uint8Array, ...references: Uint8Array[]) =>
  repairSource(
    createMemorySource(bytes),
    references.map((file, index) => ({ name: `r${index}`, source: createMemorySource(file) })),
  );

function createNoise(length: number): Uint8Array {
  const noise = new Uint8Array(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = Math.imul(state, 1_103_515_245) + 12_345;
    noise[index] = state >>> 16;
  }
  return noise;
}

describe("references", () => {
  it("are tried, and the one that fits is used wherever it stands", async () => {
    const fitting = makeClip(H264, "mp4", 2, 880);
    const outcome = await repair(damaged, hevc, jpeg, fitting);
    expect(compare(clip, written(damaged, outcome))).toMatchObject({ kept: packetsOf(clip).length, foreign: 0 });
  });

  it("that do not fit are refused with tracks and likeness named", async () => {
    await expect(repair(damaged, hevc)).rejects.toMatchObject({
      code: "REFERENCE_MISMATCH",
      message: expect.stringMatching(/r0 .*hevc, 320×240.*looks like H\.264/),
    });
  });

  it("are not blamed for a hole of zeros many times larger than what is left", async () => {
    const inside = boxAt(clip, "mdat").start + 10_000;
    const hole = new Uint8Array(48 * damaged.length);
    const holed = new Uint8Array(Buffer.concat([damaged.subarray(0, inside), hole, damaged.subarray(inside + 5000)]));
    // The data go to the end of the file.
    holed.fill(0, boxAt(clip, "mdat").start, boxAt(clip, "mdat").start + 4);
    const outcome = await repair(holed, makeClip(H264, "mp4", 2, 880));
    expect(compare(clip, written(holed, outcome)).kept).toBeGreaterThan(0.9 * packetsOf(clip).length);
    expect(outcome.report.confidence).toBeGreaterThan(0.9);
    expect(outcome.report.findings).toContainEqual(expect.objectContaining({ kind: "zeros" }));
  });

  it("are not blamed for what a card held before, however much of it stands behind the recording", async () => {
    const noise = createNoise(25 * damaged.length);
    // What the card held before begins where the recording ended.
    const reused = new Uint8Array(Buffer.concat([damaged, noise]));
    const outcome = await repair(reused, makeClip(H264, "mp4", 2, 880));
    expect(compare(clip, written(reused, outcome))).toMatchObject({ kept: packetsOf(clip).length });
  });

  it("whose pictures read only in part are refused, as they stand whole in the file", async () => {
    const otherPrediction = makeClip(`${H264} -x264-params weightp=0:bframes=0:ref=4:cabac=0`, "mp4", 2);
    const longer = makeClip(`${H264} -x264-params weightp=2:bframes=0:ref=1:cabac=0:keyint=250`, "mp4", 4);
    await expect(repair(longer.slice(0, boxAt(longer, "mdat").end), otherPrediction)).rejects.toMatchObject({
      code: "REFERENCE_MISMATCH",
      message: expect.stringMatching(/r0 does not fit: its video track \(h264, 320×240\)/),
    });
  });

  it("whose sound is of another kind are refused, as something stands in its place", async () => {
    const otherSound = makeClip("-c:v mjpeg -q:v 20 -c:a flac -frame_size 24000 -strict -2", "mp4", 8);
    const sound = makeClip("-c:v mjpeg -q:v 20 -c:a aac", "mp4", 2);
    await expect(repair(otherSound.slice(0, boxAt(otherSound, "mdat").end), sound)).rejects.toMatchObject({
      code: "REFERENCE_MISMATCH",
      message: expect.stringMatching(/its video track .* fits \d\d+ .*its audio track .* fits nothing/),
    });
  });

  it("of any kind find nothing in noise", async () => {
    const noise = createNoise(200_000);
    await expect(repair(noise, hevc)).rejects.toMatchObject({ code: "INPUT_NOT_VIDEO" });
    await expect(repair(noise)).rejects.toMatchObject({ code: "INPUT_NOT_VIDEO" });
  });

  it("without an index are unusable, unless another has one", async () => {
    const useless = new Uint8Array(1000);
    await expect(repair(damaged, useless)).rejects.toMatchObject({ code: "REFERENCE_UNUSABLE" });
    const outcome = await repair(damaged, useless, makeClip(H264, "mp4", 1));
    expect(compare(clip, written(damaged, outcome)).kept).toBe(packetsOf(clip).length);
  });
});
