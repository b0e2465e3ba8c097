import type { BoxReader } from "./box-reader.ts";
import { serializeBox } from "./box-writer.ts";
import { serializeSaio } from "./saio.ts";
import { serializeSaiz } from "./saiz.ts";
import { type Subsample, sampleInformationBytes, serializeSenc } from "./senc.ts";
import { parseTfhd } from "./tfhd.ts";
import { parseTrun, serializeTrun } from "./trun.ts";

/**
 * A `moof` of a single track with `saiz`, `saio` and `senc` for the subsamples of its samples (ISO/IEC 23001-7 §7); the data of its runs move on by as much
 * as it grows. Throws MEDIA_MALFORMED where its last box is no `traf` whose data offsets count from the `moof`, INTERNAL where a sample has more than
 * 42 subsamples.
 */
export function protectFragment(moof: BoxReader, samples: readonly (readonly Subsample[])[]): Uint8Array {
  const boxes = moof.children();
  const traf = boxes.at(-1);
  if (traf?.type !== "traf") throw moof.fail("its last box is no traf");
  const before = boxes.slice(0, -1).map((box) => box.copy());
  const sizes = samples.map(sampleInformationBytes);
  const senc = serializeSenc(samples);
  const entriesBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const describe = (moofBytes: number): Uint8Array => {
    const growthBytes = Math.max(0, moofBytes - moof.sizeBytes);
    const children = traf.children().map((box) => growChild(box, growthBytes));
    // `senc` is the last box of all: its entries end where the `moof` does.
    const information = [serializeSaiz(sizes), serializeSaio(Math.max(0, moofBytes - entriesBytes)), senc];
    return serializeBox("moof", ...before, serializeBox("traf", ...children, ...information));
  };
  return describe(describe(0).length);
}

function growChild(box: BoxReader, growthBytes: number): Uint8Array {
  if (box.type === "tfhd") {
    const copy = box.copy();
    const { baseDataOffsetBytes, isBaseMoof } = parseTfhd(box);
    if (baseDataOffsetBytes === undefined && isBaseMoof) return copy;
    throw box.fail("its data offsets do not count from the moof");
  }
  if (box.type !== "trun") return box.copy();
  const run = parseTrun(box);
  if (run.dataOffsetBytes === undefined) return box.copy();
  return serializeTrun({ ...run, dataOffsetBytes: run.dataOffsetBytes + growthBytes });
}
