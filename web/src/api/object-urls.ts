/** Address of a stored object; every part of the key is escaped, so that no key leads elsewhere. */
export function objectUrl(key: string): string {
  return `/v1/objects/${key.split("/").map(escapePart).join("/")}`;
}

/** Address that makes the browser save the object. */
export function downloadUrl(key: string): string {
  return `${objectUrl(key)}?download=1`;
}

/** The last part of a key or path, for people. */
export function baseName(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

/** `.` and `..` are not escaped by encodeURIComponent, and browsers resolve them even where they are escaped. */
function escapePart(part: string): string {
  if (part === "." || part === "..") throw new RangeError(`An object key holds no part "${part}".`);
  return encodeURIComponent(part);
}
