import { describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { ByteWindow } from "../../media/bytes/byte-window.ts";
import { Paddings } from "./paddings.ts";

const [VIDEO, SOUND] = [[0], [1]] as const;

/** Pictures at multiples of 4096, sound at multiples of 512, of nothing but zeros. */
function paddings(): Paddings {
  const window = new ByteWindow(createMemorySource(new Uint8Array(256 * 1024)));
  const alignments = [
    { bytes: 4096, isRelative: false, tracks: VIDEO },
    { bytes: 512, isRelative: false, tracks: SOUND },
  ];
  return new Paddings(window, { alignments, usualBytes: [] }, 0, 256 * 1024);
}

describe("places where a recording may go on behind padding", () => {
  it("move together, once, where runs of either kind show it", () => {
    const places = paddings();
    for (let row = 1; row <= 4; row++) {
      places.note(row * 8192 + 100, VIDEO, false);
      places.note(row * 8192 + 4096 + 100, SOUND, false);
      if (row >= 2) expect(places.runStart(row * 8192 + 5000, SOUND)).toBe(row * 8192 + 5220);
    }
    expect([places.runStart(40_001, VIDEO), places.runStart(40_001, SOUND)]).toEqual([
      40_960 + 100,
      40_448 + 100 - 512,
    ]);
  });

  it("leave a coarser grid where it is when a finer one moves", () => {
    const places = paddings();
    for (const start of [512, 1024, 1536]) places.note(start + 8, SOUND, false);
    expect([places.runStart(1000, SOUND), places.runStart(1000, VIDEO)]).toEqual([1032, 4096]);
  });
});
