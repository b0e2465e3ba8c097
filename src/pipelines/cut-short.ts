import { ReelmillError } from "../base/errors.ts";
import { openFileSource } from "../base/file-source.ts";
import type { ByteSource } from "../media/bytes/byte-source.ts";
import { eachTopLevelBox, type TopLevelBox } from "../media/isobmff/top-level.ts";
import { isCutOff } from "./repair/container-damage.ts";

/** What a file that ends too early fails with, in words of whichever step came upon it. */
const SYMPTOMS: readonly string[] = ["FFMPEG_FAILED", "OUTPUT_NOT_VERIFIED"];

const FIRST_BOXES: readonly string[] = ["ftyp", "moov", "wide", "mdat", "free", "skip"];
const CUT_BOXES: readonly string[] = ["mdat", "moov", "moof"];

/** What an input failed with; where it ends before its own sizes say (within a box of MP4 or QuickTime, the segment of Matroska, the pictures of AVI), as where a card was pulled, with the advice to repair it first. */
export function adviseRepair(path: string, error: unknown): unknown {
  if (!(error instanceof ReelmillError) || !SYMPTOMS.includes(error.code) || cutOf(path) === undefined) return error;
  const advice = `The recording was cut short: \`reelmill repair ${path}\` may mend it.`;
  return new ReelmillError(error.code, error.problem, { advice, cause: error });
}

/** For the report of what was made of as much as there is. */
export function describeCutShort(path: string): readonly string[] {
  switch (cutOf(path)) {
    case undefined:
      return [];
    case "movie":
      return ["The recording was cut short: `reelmill repair` may recover more of it."];
    case "other":
      // Of these, repair reads what every step reads.
      return ["The recording was cut short: its file ends before its own sizes say, and the rest is not in it."];
  }
}

/** What was cut: `movie` is MP4 or QuickTime, which the engine of repair knows; undefined where nothing says that anything was. */
function cutOf(path: string): "movie" | "other" | undefined {
  const source = openFileSource(path);
  try {
    if (isMovieCut(source)) return "movie";
    return isCutOff(source) ? "other" : undefined;
  } finally {
    source.close();
  }
}

/** Of MP4 and QuickTime. */
function isMovieCut(source: ByteSource): boolean {
  let last: TopLevelBox | undefined;
  for (const box of eachTopLevelBox(source)) {
    if (last === undefined && !FIRST_BOXES.includes(box.type)) return false;
    last = box;
  }
  // Of other types may be what some program put behind the end.
  return last !== undefined && CUT_BOXES.includes(last.type) && last.declaredSizeBytes > last.sizeBytes;
}
