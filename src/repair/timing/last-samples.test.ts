import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../../media/bytes/byte-source.ts";
import { openBox } from "../../media/isobmff/box-reader.ts";
import { parseMvhd } from "../../media/isobmff/mvhd.ts";
import { compare, makeClip, written } from "../clips.fixture.ts";
import { takeApart, withoutIndex } from "../remade-clip.fixture.ts";
import { repairSource } from "../repair-source.ts";
import { endOfTrack } from "./track-ends.ts";

const OPTIONS = "-c:v libx264 -preset veryfast -bf 2 -g 30 -c:a aac -timecode 01:00:00:00";
const FRAME_SECONDS = 1 / 30;

/**
 * When the pictures, the sound and the timecode of a healthy file end, none of them behind the movie: ffmpeg 9's edit of a
 * timecode reaches a picture farther. Seconds.
 */
function endsOf(file: Uint8Array): { readonly pictures: number; readonly sound: number; readonly timecode: number } {
  const { movie } = takeApart(file);
  const movieSeconds = parseMvhd(openBox(movie.movieHeader)).durationTicks / movie.timescale;
  const ends = movie.tracks.map((track) => Math.min(endOfTrack(track, movie), movieSeconds));
  const [pictures = 0, sound = 0, timecode = 0] = ends;
  return { pictures, sound, timecode };
}

describe("the timecode of a mended recording", () => {
  let reference: Uint8Array;
  let clip: Uint8Array;

  beforeAll(() => {
    reference = makeClip(OPTIONS, "mov", 12, 880);
    clip = makeClip(OPTIONS, "mov", 4);
  });

  const repair = async (damaged: Uint8Array): Promise<Uint8Array> => {
    const outcome = await repairSource(createMemorySource(damaged), [
      { name: "reference", source: createMemorySource(reference) },
    ]);
    return written(damaged, outcome);
  };

  it("ends with the pictures, not when the reference's did", async () => {
    const damaged = withoutIndex(clip);
    const mended = await repair(damaged.slice(0, Math.floor(damaged.length * 0.7)));
    const { pictures, timecode } = endsOf(mended);
    expect(pictures).toBeLessThan(4);
    expect(Math.abs(timecode - pictures)).toBeLessThanOrEqual(FRAME_SECONDS);
    expect(compare(clip, mended)).toMatchObject({ foreign: 0 });
  });

  it("is as long as it was where all of the recording is there", async () => {
    const mended = await repair(withoutIndex(clip));
    expect(endsOf(mended).timecode).toBeCloseTo(endsOf(clip).timecode, 2);
    expect(endsOf(mended).pictures).toBeCloseTo(endsOf(clip).pictures, 2);
  });

  it("ends with the sound where there are no pictures", async () => {
    const options = "-map 1:a -c:a aac -timecode 01:00:00:00";
    reference = makeClip(options, "mov", 12, 880);
    const damaged = withoutIndex(makeClip(options, "mov", 4));
    const mended = await repair(damaged.slice(0, Math.floor(damaged.length * 0.7)));
    const [sound = 0, ...others] = takeApart(mended).movie.tracks.map((track) =>
      endOfTrack(track, takeApart(mended).movie),
    );
    expect(sound).toBeLessThan(3.5);
    for (const other of others) expect(Math.abs(other - sound)).toBeLessThanOrEqual(FRAME_SECONDS);
  });

  it("ends with the pictures where the recording's own index is cut", async () => {
    const whole = makeClip(`${OPTIONS} -movflags +faststart`, "mov");
    const damaged = whole.slice(0, Math.floor(whole.length * 0.7));
    const outcome = await repairSource(createMemorySource(damaged), []);
    const { pictures, timecode } = endsOf(written(damaged, outcome));
    expect(outcome.report.diagnosis).toBe("index-cut");
    expect(pictures).toBeLessThan(3.5);
    expect(Math.abs(timecode - pictures)).toBeLessThanOrEqual(FRAME_SECONDS);
    expect(compare(whole, written(damaged, outcome))).toMatchObject({ foreign: 0, worstSeconds: 0 });
  });
});
