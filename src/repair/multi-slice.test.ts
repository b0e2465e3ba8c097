import { beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../media/bytes/byte-source.ts";
import { isAvcSlice } from "../media/h264/nal-unit.ts";
import { isHevcSlice } from "../media/hevc/nal-unit.ts";
import type { Track } from "../media/isobmff/movie.ts";
import { forEachSample } from "../media/isobmff/sample-table.ts";
import { splitSample } from "../media/nal/annex-b.ts";
import { boxAt, compare, makeClip, packetsOf, written } from "./clips.fixture.ts";
import { repairSource } from "./repair-source.ts";
import { triage } from "./triage.ts";

const CODECS = [
  { name: "H.264", options: "-c:v libx264 -preset veryfast -g 30 -bf 2 -slices 4", isSlice: isAvcSlice },
  {
    name: "HEVC",
    options: "-c:v libx265 -preset ultrafast -x265-params log-level=error:slices=4:keyint=30 -tag:v hvc1",
    isSlice: isHevcSlice,
  },
];
const SOUND = "-c:a aac";

/** Where a slice of a picture lies in the file, its length in front not counted. */
interface Slice {
  readonly picture: number;
  /** 0 is the picture's first. */
  readonly index: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

function slicesOf(clip: Uint8Array, isSlice: (nal: Uint8Array) => boolean): Slice[] {
  const video = triage(createMemorySource(clip)).movies[0]?.movie.tracks[0] as Track;
  const slices: Slice[] = [];
  forEachSample(video.samples, (picture, offset, sizeBytes) => {
    let at = offset;
    let index = 0;
    for (const nal of splitSample(clip.subarray(offset, offset + sizeBytes), 4) ?? []) {
      at += 4;
      if (isSlice(nal)) slices.push({ picture, index: index++, offset: at, sizeBytes: nal.length });
      at += nal.length;
    }
  });
  return slices;
}

/** Bytes without any order, none of them zero. */
function garbage(lengthBytes: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: lengthBytes }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return ((state >>> 16) % 255) + 1;
  });
}

describe.each(CODECS)("pictures of four slices in $name", ({ options, isSlice }) => {
  let clip: Uint8Array;
  let reference: Uint8Array;
  let slices: readonly Slice[];

  beforeAll(() => {
    clip = makeClip(`${options} ${SOUND}`);
    reference = makeClip(`${options} ${SOUND}`, "mp4", 2, 880);
    slices = slicesOf(clip, isSlice);
    expect(slices.filter(({ index }) => index === 3)).toHaveLength(120);
  });

  const repairWithout = async (spoil: (bytes: Uint8Array) => void) => {
    const damaged = clip.slice(0, boxAt(clip, "mdat").end);
    spoil(damaged);
    const references = [{ name: "r", source: createMemorySource(reference) }];
    const outcome = await repairSource(createMemorySource(damaged), references);
    return { ...compare(clip, written(damaged, outcome)), findings: outcome.report.findings };
  };
  const inner = (step: number): readonly Slice[] =>
    slices.filter(({ picture, index }) => picture % step === step - 1 && index === 2);

  it("are kept where garbage stands inside a slice: nothing but its bytes is wrong", async () => {
    const spoilt = inner(10);
    const { kept, foreign, worstSeconds } = await repairWithout((bytes) => {
      for (const { offset, sizeBytes } of spoilt) bytes.set(garbage(sizeBytes >> 2, offset), offset + (sizeBytes >> 1));
    });
    expect(spoilt.length).toBeGreaterThan(8);
    // A spoilt picture is either taken as it stands or left out.
    expect(kept).toBeGreaterThanOrEqual(packetsOf(clip).length - spoilt.length);
    expect(foreign).toBeLessThanOrEqual(spoilt.length);
    expect(worstSeconds).toBeLessThan(0.001);
  });

  it("cost at most two neighbours where garbage stands over a slice's length and header", async () => {
    const spoilt = inner(20);
    const { kept, worstSeconds } = await repairWithout((bytes) => {
      for (const { offset } of spoilt) bytes.set(garbage(40, offset), offset - 4);
    });
    expect(kept).toBeGreaterThanOrEqual(packetsOf(clip).length - 3 * spoilt.length);
    // The sound in between has no count of its own: it follows the pictures.
    expect(worstSeconds).toBeLessThan(1 / 30);
  });

  it("are told apart from what was lost: each place has its finding", async () => {
    const [spoilt] = inner(60);
    if (spoilt === undefined) throw new Error("The clip is too short.");
    const { findings } = await repairWithout((bytes) => bytes.set(garbage(40, 7), spoilt.offset - 4));
    expect(
      findings.some(({ startOffset, endOffset }) => startOffset <= spoilt.offset && spoilt.offset < endOffset),
    ).toBe(true);
  });
});
