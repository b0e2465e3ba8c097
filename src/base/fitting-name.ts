/** What the usual file systems allow one name to take. */
const MAX_NAME_BYTES = 255;

/**
 * A file's name of two parts, the first cut by whole characters where a file system would not take the name with `roomBytes` bytes
 * more; where that does not suffice, without it.
 */
export function fittingName(stem: string, rest: string, roomBytes = 0): string {
  const characters = [...stem];
  let excessBytes = Buffer.byteLength(stem + rest) + roomBytes - MAX_NAME_BYTES;
  while (excessBytes > 0 && characters.length > 0) excessBytes -= Buffer.byteLength(characters.pop() ?? "");
  return characters.join("") + rest;
}
