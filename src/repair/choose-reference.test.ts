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

describe("references", () => {
  it("are tried, and the one that fits is used wherever it stands", async () => {
    const fitting = makeClip(H264, "mp4", 2, 880);
    const outcome = await repair(damaged, hevc, jpeg, fitting);
    expect(compare(clip, written(damaged, outcome))).toMatchObject({ kept: packetsOf(clip).length, foreign: 0 });
  });

  it("that do not fit are refused with tracks and likeness named", async () => {
    await expect(repair(damaged, hevc)).rejects.toMatchObject({
      code: "REFERENCE_MISMATCH",
      message: expect.stringMatching(/r0 .*h\w+1, 320×240.*looks like H\.264/),
    });
  });

  it("of any kind find nothing in noise", async () => {
    const noise = new Uint8Array(200_000);
    let state = 1;
    for (let index = 0; index < noise.length; index++) {
      state = Math.imul(state, 1_103_515_245) + 12_345;
      noise[index] = state >>> 16;
    }
    await expect(repair(noise, hevc)).rejects.toMatchObject({ code: "NOTHING_RECOVERED" });
    await expect(repair(noise)).rejects.toMatchObject({ code: "INPUT_NOT_VIDEO" });
  });

  it("without an index are unusable, unless another has one", async () => {
    const useless = new Uint8Array(1000);
    await expect(repair(damaged, useless)).rejects.toMatchObject({ code: "REFERENCE_UNUSABLE" });
    const outcome = await repair(damaged, useless, makeClip(H264, "mp4", 1));
    expect(compare(clip, written(damaged, outcome)).kept).toBe(packetsOf(clip).length);
  });
});
