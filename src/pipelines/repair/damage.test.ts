import { describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { concatBytes, serializeBox, serializeFullBox } from "../../media/isobmff/box-writer.ts";
import { makeClip } from "../../repair/clips.fixture.ts";
import type { Triage } from "../../repair/triage.ts";
import { triage } from "../../repair/triage.ts";
import { findDamage } from "./damage.ts";

/** The look at a file whose first track refers to pictures in another one. */
function withPicturesElsewhere(state: Triage): Triage {
  const place = new TextEncoder().encode("file://elsewhere/pictures.mov\0");
  const entries = concatBytes([Uint8Array.of(0, 0, 0, 1), serializeFullBox("alis", 0, 0, place)]);
  const dinf = serializeBox("dinf", serializeFullBox("dref", 0, 0, entries));
  const movies = state.movies.map((found) => {
    const tracks = found.movie.tracks.map((track, index) =>
      index === 0 ? { ...track, boxes: new Map([...track.boxes, ["mdia/minf/dinf", dinf]]) } : track,
    );
    return { ...found, movie: { ...found.movie, tracks } };
  });
  return { ...state, movies };
}

describe("what is told of a file's damage", () => {
  it("says which tracks lie in other files, as those of a QuickTime reference movie do", () => {
    const source = createMemorySource(makeClip("-c:v libx264 -preset ultrafast -c:a aac", "mov", 1));
    const state = triage(source);
    expect(findDamage(source, state)).toEqual([]);
    expect(findDamage(source, withPicturesElsewhere(state))).toEqual([
      { kind: "damage", text: "the media of track 1 lie in other files, which its index refers to" },
    ]);
  });
});
