import { ReelmillError } from "../../base/errors.ts";
import { createReplacer } from "../../base/replace-texts.ts";
import type { EncodedVideo, PlannedEncoder } from "./conversion.ts";

/** What a run with a failing device ends with. Time-outs are none: standing still may as well be the input's fault, and another try may do. */
const DEVICE_FAULTS: ReadonlySet<string> = new Set(["FFMPEG_FAILED", "PROGRAM_KILLED"]);

/**
 * What an encode failed with where that may be the device's fault and there is an encoder to take over; else undefined. Whether it was the device,
 * the other encoder shows. `folders` are left out of the text, which is for the report.
 */
export function deviceFault(
  { fallback }: PlannedEncoder,
  error: unknown,
  folders: readonly string[],
): string | undefined {
  if (fallback === null || !(error instanceof ReelmillError) || !DEVICE_FAULTS.has(error.code)) return undefined;
  const withoutFolders = createReplacer(new Map(folders.map((folder) => [`${folder}/`, ""])));
  return withoutFolders(error.problem).replace(/[\s.]+$/, "");
}

/** Pictures as they are encoded without the device, and the sentence on that. Throws RangeError where no encoder was planned to take over. */
export function fallBack(
  video: EncodedVideo,
  fault: string,
): { readonly video: EncodedVideo; readonly finding: string } {
  const { name, fallback } = video.encoder;
  if (fallback === null) throw new RangeError(`No encoder was planned to take over from ${name}.`);
  const finding = `${name} failed at its work: ${fault}. ${fallback.name} is used instead, for all pictures.`;
  return { video: { ...video, encoder: fallback }, finding };
}
