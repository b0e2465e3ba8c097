import { ReelmillError } from "../base/errors.ts";
import { createReplacer } from "../base/replace-texts.ts";

/** What a run with a failing device ends with. Time-outs are none: standing still may as well be the input's fault, and another try may do. */
const DEVICE_FAULTS: ReadonlySet<string> = new Set([
  ...["FFMPEG_FAILED", "PROGRAM_KILLED"],
  // What came out is no file, or does not decode, or is not what was asked for.
  ...["MEDIA_MALFORMED", "OUTPUT_NOT_VERIFIED"],
]);

/**
 * What an encode failed with where that may be the device's fault and there is an encoder to take over; else undefined. Whether it was the device,
 * the other encoder shows. `folders` are left out of the text, which is for the report.
 */
export function deviceFault(
  { fallback }: { readonly fallback: object | null },
  error: unknown,
  folders: readonly string[],
): string | undefined {
  if (fallback === null || !(error instanceof ReelmillError) || !DEVICE_FAULTS.has(error.code)) return undefined;
  const withoutFolders = createReplacer(new Map(folders.map((folder) => [`${folder}/`, ""])));
  return withoutFolders(error.problem).replace(/[\s.]+$/, "");
}

/** The sentence on a device that failed. */
export function describeFallback(deviceName: string, fault: string, fallbackName: string): string {
  return `${deviceName} failed at its work: ${fault}. ${fallbackName} is used instead, from the first picture on.`;
}
