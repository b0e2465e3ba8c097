import { type BoxReader, openBoxes } from "./box-reader.ts";
import { concatBytes } from "./box-writer.ts";
import { parseElst } from "./elst.ts";
import { parseHdlr } from "./hdlr.ts";
import { parseMdhd } from "./mdhd.ts";
import type { Edit, SampleTable, Track } from "./movie.ts";
import { sumOfCounts } from "./runs.ts";
import { parseSbgp } from "./sbgp.ts";
import { parseSampleTable, type ReportProblem } from "./stbl.ts";
import { parseStsd } from "./stsd.ts";
import { parseTkhd } from "./tkhd.ts";

/** What is rebuilt from the tables, belongs to one recording only, or holds offsets into the file. */
const NEVER_HANDED_ON: readonly string[] = [
  ...["edts", "udta", "meta", "uuid", "free", "skip", "wide", "clip"],
  ...["stsd", "stts", "ctts", "cslg", "stss", "stsc", "stsz", "stz2", "stco", "co64", "saiz", "saio", "senc"],
];
/** Containers that are walked, by path below `trak`. */
const WALKED: readonly string[] = ["mdia", "mdia/minf", "mdia/minf/stbl"];

/**
 * Reads one `trak`, ISO/IEC 14496-12 §8.3.1. Throws MEDIA_MALFORMED with the box's path and offset where the track
 * has no usable `tkhd`, `mdhd`, `stsd` or sample tables.
 */
export function parseTrak(trak: BoxReader, movieTimescale: number, report: ReportProblem): Track {
  const found = new Map<string, BoxReader>();
  const parts = new Map<string, Uint8Array[]>();
  walk(trak, "", found, parts, report);
  const need = (path: string): BoxReader => {
    const box = found.get(path);
    if (box === undefined) throw trak.fail(`${path} is missing`);
    return box;
  };
  const { trackId } = parseTkhd(need("tkhd"));
  const timescale = parseMdhd(need("mdia/mdhd")).timescale;
  if (timescale === 0) report(need("mdia/mdhd"), "the timescale is 0; the movie's is taken");
  const handlerType = readHandlerType(found);
  const stbl = need("mdia/minf/stbl");
  const sampleEntries = parseStsd(need("mdia/minf/stbl/stsd"), handlerType);
  const tables = new Map(stbl.children().map((box) => [box.type, box]));
  const samples = parseSampleTable(stbl, tables, sampleEntries[0], report);
  const boxes = new Map([...parts].map(([path, copies]) => [path, concatBytes(copies)]));
  dropMisfits(boxes, samples);
  const edits = readEdits(found.get("edts"), report);
  return { trackId, handlerType, timescale: timescale || movieTimescale, sampleEntries, samples, edits, boxes };
}

function walk(
  parent: BoxReader,
  prefix: string,
  found: Map<string, BoxReader>,
  parts: Map<string, Uint8Array[]>,
  report: ReportProblem,
): void {
  for (const box of parent.children()) {
    const path = `${prefix}${box.type}`;
    if (!found.has(path)) found.set(path, box);
    if (box.isClipped) report(box, `the box is longer than ${parent.path}, which holds it`);
    if (WALKED.includes(path)) walk(box, `${path}/`, found, parts, report);
    else if (!box.isClipped && !NEVER_HANDED_ON.includes(box.type)) {
      const copies = parts.get(path) ?? [];
      copies.push(box.copy());
      parts.set(path, copies);
    }
  }
}

/** The handler, or, without a readable `hdlr`, what the media header box stands for. */
function readHandlerType(found: ReadonlyMap<string, BoxReader>): string {
  const hdlr = found.get("mdia/hdlr");
  if (hdlr && hdlr.bytesLeft >= 24) return parseHdlr(hdlr).handlerType;
  if (found.has("mdia/minf/vmhd")) return "vide";
  return found.has("mdia/minf/smhd") ? "soun" : "meta";
}

/** A broken edit list costs the edits, not the track. */
function readEdits(edts: BoxReader | undefined, report: ReportProblem): readonly Edit[] {
  const elst = edts?.children().find((box) => box.type === "elst");
  if (elst === undefined) return [];
  try {
    return parseElst(elst);
  } catch {
    report(elst, "the edit list cannot be read and is left out");
    return [];
  }
}

/** Drops tables handed on whole that do not fit the number of samples: they speak of other samples. */
export function dropMisfits(boxes: Map<string, Uint8Array>, samples: SampleTable): void {
  const sdtp = boxes.get("mdia/minf/stbl/sdtp");
  if (sdtp && sdtp.length - 12 !== samples.sampleCount) boxes.delete("mdia/minf/stbl/sdtp");
  const sbgp = boxes.get("mdia/minf/stbl/sbgp");
  const fits = (box: BoxReader) => groupedSampleCount(box) <= samples.sampleCount;
  if (sbgp && !openBoxes(sbgp, "sbgp").every(fits)) boxes.delete("mdia/minf/stbl/sbgp");
}

/** Samples that an `sbgp` speaks of; infinity where it cannot be read. */
function groupedSampleCount(sbgp: BoxReader): number {
  try {
    return sumOfCounts(parseSbgp(sbgp).runs);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
