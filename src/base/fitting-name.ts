import { parse } from "node:path";

/** What the usual file systems allow one name to take, in bytes of UTF-8. */
export const MAX_FILE_NAME_BYTES = 255;

/**
 * A file's name of two parts, the first cut by whole characters where a file system would not take the name with `roomBytes` bytes
 * more; where that does not suffice, without it.
 */
export function fittingName(stem: string, rest: string, roomBytes = 0): string {
  const characters = [...stem];
  let excessBytes = Buffer.byteLength(stem + rest) + roomBytes - MAX_FILE_NAME_BYTES;
  while (excessBytes > 0 && characters.length > 0) excessBytes -= Buffer.byteLength(characters.pop() ?? "");
  return characters.join("") + rest;
}

/** `clip.mp4` with 2 → `clip-2.mp4`, with 1 as it is; shortened where a file system would not take it with `roomBytes` bytes more. */
export function numberedName(fileName: string, number: number, roomBytes = 0): string {
  const { name, ext } = parse(fileName);
  return fittingName(name, `${number === 1 ? "" : `-${number}`}${ext}`, roomBytes);
}
