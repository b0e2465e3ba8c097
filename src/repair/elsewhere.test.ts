import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { concatBytes, serializeBox, serializeFullBox } from "../media/isobmff/box-writer.ts";
import { liesElsewhere } from "../media/isobmff/dref.ts";
import type { Track } from "../media/isobmff/movie.ts";
import { boxAt, compare, makeClip, written } from "./clips.fixture.ts";
import { putTogether, takeApart } from "./remade-clip.fixture.ts";
import { repairSource } from "./repair-source.ts";

const PLACE = new TextEncoder().encode("file://elsewhere/pictures.mov\0");

/** A `dinf` of one entry with these flags, which names this place. */
function dinf(flags: number, place: Uint8Array): Uint8Array {
  const one = concatBytes([Uint8Array.of(0, 0, 0, 1), serializeFullBox("url ", 0, flags, place)]);
  return serializeBox("dinf", serializeFullBox("dref", 0, 0, one));
}

/** The clip, of which some tracks refer to their media so. */
function referring(clip: Uint8Array, isChanged: (track: number) => boolean, own: Uint8Array): Uint8Array {
  const parts = takeApart(clip);
  const tracks = parts.movie.tracks.map((track, index): Track => {
    return isChanged(index) ? { ...track, boxes: new Map([...track.boxes, ["mdia/minf/dinf", own]]) } : track;
  });
  return putTogether({ ...parts, movie: { ...parts.movie, tracks } });
}

const repair = (file: Uint8Array, ...references: Uint8Array[]) =>
  repairSource(
    createMemorySource(file),
    references.map((bytes) => ({ name: "reference", source: createMemorySource(bytes) })),
  );

describe("an index whose media lie in other files", () => {
  let clip: Uint8Array;

  beforeAll(() => {
    clip = makeClip("-c:v libx264 -preset ultrafast -c:a aac", "mov", 2);
  });

  it("is not healthy: there is nothing to repair, with a reference and without", async () => {
    const file = referring(clip, () => true, dinf(0, PLACE));
    const refusal = { code: "INPUT_NOT_VIDEO", message: expect.stringContaining("tracks 1, 2 lie in other files") };
    await expect(repair(file)).rejects.toMatchObject(refusal);
    await expect(repair(file, clip)).rejects.toMatchObject(refusal);
  });

  it("is not healthy either where a part of them does", async () => {
    const file = referring(clip, (track) => track === 1, dinf(0, PLACE));
    await expect(repair(file)).rejects.toMatchObject({
      message: expect.stringContaining("track 2 lie in other files"),
    });
  });

  it("gives what lies in the file itself where that is cut short", async () => {
    const file = referring(clip, (track) => track === 1, dinf(0, PLACE));
    const { start, end } = boxAt(file, "mdat");
    // The index in front, the data cut short behind it.
    const lost = file.slice();
    lost.fill(0, Math.floor((start + end) / 2), end);
    const outcome = await repair(lost);
    expect(outcome.report.tracks.map(({ kind }) => kind)).toEqual(["video"]);
    expect(compare(clip, written(lost, outcome))).toMatchObject({ foreign: 0, worstSeconds: 0 });
  });

  it("teaches nothing of them", async () => {
    const file = referring(clip, () => true, dinf(0, PLACE));
    await expect(repair(clip.slice(0, boxAt(clip, "mdat").end), file)).rejects.toMatchObject({
      code: "REFERENCE_UNUSABLE",
    });
  });

  it("is one that names a place without flag 1", () => {
    const answer = (own: Uint8Array): boolean | undefined =>
      takeApart(referring(clip, () => true, own)).movie.tracks.map(liesElsewhere)[0];
    expect(answer(dinf(0, PLACE))).toBe(true);
    expect(answer(dinf(1, PLACE))).toBe(false);
    expect(answer(dinf(1, new Uint8Array(0)))).toBe(false);
    // A writer's slip: the media can only be in the same file.
    expect(answer(dinf(0, new Uint8Array(0)))).toBe(false);
    expect(answer(serializeBox("dinf", new Uint8Array(3)))).toBe(false);
  });
});
