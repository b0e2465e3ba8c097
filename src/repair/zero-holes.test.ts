import { describe, expect, it } from "vitest";
import { type ByteSource, createMemorySource } from "../media/bytes/byte-source.ts";
import type { Movie, SampleTable } from "../media/isobmff/movie.ts";
import { createSampleTable } from "../media/isobmff/sample-table.fixture.ts";
import { dropHoles } from "./zero-holes.ts";

const PICTURES = 40;
const PICTURE_BYTES = 200_000;
const BLOCK_BYTES = 8192;

/** A movie of one H.264 track. */
function movieOf(samples: SampleTable): Movie {
  const entry = { format: "avc1", raw: new Uint8Array(0), children: new Map<string, Uint8Array>() };
  const shared = { sampleEntries: [entry], edits: [], boxes: new Map<string, Uint8Array>() };
  const track = { trackId: 1, handlerType: "vide", timescale: 25, samples, ...shared };
  return { timescale: 25, tracks: [track], movieHeader: new Uint8Array(0), isFragmented: false };
}

function tableOf(offsets: readonly number[], sizeOf: (index: number) => number): SampleTable {
  return createSampleTable({
    offsets,
    sizes: offsets.map((_, index) => sizeOf(index)),
    durations: offsets.map(() => 1),
  });
}

/** Pictures side by side, so many of them with so many zeroed blocks inside. */
function search(holedPictures: number, blocks: number): ReturnType<typeof dropHoles> {
  const bytes = new Uint8Array(PICTURES * PICTURE_BYTES).fill(7);
  for (let picture = 0; picture < holedPictures; picture++) {
    for (let block = 1; block <= blocks; block++) {
      const at = picture * PICTURE_BYTES + 2 * block * BLOCK_BYTES;
      bytes.fill(0, at, at + BLOCK_BYTES);
    }
  }
  const offsets = Array.from({ length: PICTURES }, (_, index) => index * PICTURE_BYTES);
  const movie = movieOf(tableOf(offsets, () => PICTURE_BYTES));
  const within = { startOffset: 0, endOffset: bytes.length };
  return dropHoles(createMemorySource(bytes), movie, { within, isDamaged: true });
}

describe("holes inside pictures", () => {
  it.each([1, 4, 6, 11])("are damage to the one picture that has %i of them", async (blocks) => {
    const { movie, findings } = await search(1, blocks);
    expect(movie.tracks[0]?.samples.sampleCount).toBe(PICTURES - 1);
    expect(findings).toMatchObject([{ kind: "damaged-packet", startOffset: 0, endOffset: PICTURE_BYTES }]);
  });

  it("are the recorder's way where more than a tenth of the pictures have one", async () => {
    expect((await search(4, 1)).movie.tracks[0]?.samples.sampleCount).toBe(PICTURES - 4);
    expect((await search(5, 1)).findings).toEqual([]);
  });
});

describe("a hostile index whose samples all hold the same zeros", () => {
  it.each([1, 2])("is read in one go, %i samples in a chunk", async (samplesInChunk) => {
    const [stretches, strideBytes, samples] = [4000, 4200, 200_000];
    const source: ByteSource = {
      sizeBytes: stretches * strideBytes,
      read(offset, target) {
        const count = Math.min(target.length, this.sizeBytes - offset);
        target.fill(0, 0, count);
        for (let at = strideBytes - 1 - (offset % strideBytes); at < count; at += strideBytes) target[at] = 1;
        return count;
      },
    };
    // None begins in zeros; the first of two in a chunk is but a byte.
    const sizeOf = (index: number): number => (index % samplesInChunk === samplesInChunk - 1 ? source.sizeBytes : 1);
    const start = strideBytes - samplesInChunk;
    const offsets = Array.from({ length: samples }, (_, index) => start + (index % samplesInChunk));
    const within = { startOffset: 0, endOffset: source.sizeBytes };
    const { findings } = await dropHoles(source, movieOf(tableOf(offsets, sizeOf)), { within, isDamaged: true });
    expect(findings).toEqual([]);
  });
});
