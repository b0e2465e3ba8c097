import { ReelmillError } from "../base/errors.ts";
import { openFileSource } from "../base/file-source.ts";
import { eachTopLevelBox, type TopLevelBox } from "../media/isobmff/top-level.ts";

/** What a file that ends too early fails with, in words of whichever step came upon it. */
const SYMPTOMS: readonly string[] = ["FFMPEG_FAILED", "OUTPUT_NOT_VERIFIED"];

const FIRST_BOXES: readonly string[] = ["ftyp", "moov", "wide", "mdat", "free", "skip"];
const CUT_BOXES: readonly string[] = ["mdat", "moov", "moof"];

/** What an input failed with; where it ends within a box of MP4 or QuickTime, as where a card was pulled, with the advice to repair it first. */
export function adviseRepair(path: string, error: unknown): unknown {
  if (!(error instanceof ReelmillError) || !SYMPTOMS.includes(error.code) || !isCutShort(path)) return error;
  const advice = `The recording was cut short: \`reelmill repair ${path}\` may mend it.`;
  return new ReelmillError(error.code, error.problem, { advice, cause: error });
}

/** For the report of what was made of as much as there is. */
export function describeCutShort(path: string): readonly string[] {
  return isCutShort(path) ? ["The recording was cut short: `reelmill repair` may recover more of it."] : [];
}

function isCutShort(path: string): boolean {
  const source = openFileSource(path);
  try {
    let last: TopLevelBox | undefined;
    for (const box of eachTopLevelBox(source)) {
      if (last === undefined && !FIRST_BOXES.includes(box.type)) return false;
      last = box;
    }
    // Of other types may be what some program put behind the end.
    return last !== undefined && CUT_BOXES.includes(last.type) && last.declaredSizeBytes > last.sizeBytes;
  } finally {
    source.close();
  }
}
