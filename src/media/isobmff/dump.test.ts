import { expect, it } from "vitest";
import { createMemorySource } from "../bytes/byte-source.ts";
import { concatBytes, serializeBox } from "./box-writer.ts";
import { createVisualEntry } from "./create-entry.ts";
import { createMovieHeader, createTrackBoxes } from "./create-track.ts";
import { dumpBoxes } from "./dump.ts";
import { serializeFtyp } from "./ftyp.ts";
import { createSampleTable } from "./sample-table.fixture.ts";
import { serializeMovie } from "./serialize-movie.ts";

function fileOf(): Uint8Array {
  const size = { widthPixels: 64, heightPixels: 48 };
  const boxes = createTrackBoxes({ trackId: 1, handlerType: "vide", timescale: 25, ...size });
  const sampleEntries = [createVisualEntry({ format: "apch", ...size })];
  const samples = createSampleTable({ offsets: [28, 33], sizes: [5, 3], durations: [1, 1] });
  const edits = [{ durationTicks: 80, mediaTimeTicks: 0, rate: 1 }];
  const track = { trackId: 1, handlerType: "vide", timescale: 25, sampleEntries, samples, edits, boxes };
  const movieHeader = createMovieHeader(1000, 2);
  const movie = serializeMovie({ timescale: 1000, tracks: [track], movieHeader, isFragmented: false });
  const ftyp = serializeFtyp({ majorBrand: "qt  ", minorVersion: 512, compatibleBrands: ["qt  "] });
  return concatBytes([ftyp, serializeBox("mdat", new Uint8Array(8)), movie, new Uint8Array(3)]);
}

it("dumps the tree with offsets, sizes and key fields", () => {
  expect(dumpBoxes(createMemorySource(fileOf()))).toMatchInlineSnapshot(`
    "ftyp @0 20 majorBrand=qt   minorVersion=512 compatibleBrands=qt  
    mdat @20 16
    moov @36 611
      mvhd @44 108 timescale=1000 durationTicks=80 nextTrackId=2
      trak @152 495
        tkhd @160 92 trackId=1 flags=3 durationTicks=80 widthPixels=64 heightPixels=48
        edts @252 36
          elst @260 28 edits=80@0x1
        mdia @288 359
          mdhd @296 32 timescale=25 durationTicks=2
          hdlr @328 45 handlerType=vide
          minf @373 274
            vmhd @381 20
            dinf @401 36
              dref @409 28 entries=1
            stbl @437 210
              stsd @445 102 entries=1 formats=apch
              stts @547 24 entries=1
              stsc @571 28 entries=1
              stsz @599 28 sizeBytes=0 samples=2
              stco @627 20 entries=1
    [no box from byte 647 on, 3 bytes]
    "
  `);
});

it("shows what is missing, and keeps to its limits", () => {
  const bytes = fileOf();
  expect(dumpBoxes(createMemorySource(bytes.subarray(0, 30)))).toBe(
    "ftyp @0 20 majorBrand=qt   minorVersion=512 compatibleBrands=qt  \nmdat @20 10 6 bytes missing\n",
  );
  expect(dumpBoxes(createMemorySource(bytes), { maxDepth: 1 }).split("\n")).toHaveLength(5);
  expect(dumpBoxes(createMemorySource(bytes), { maxLines: 4 })).toMatch(/^([^\n]*\n){4}\[more left out\]\n$/);
});
