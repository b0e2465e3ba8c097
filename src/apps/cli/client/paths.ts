import { ReelmillError } from "../../../base/errors.ts";

/** A word that names something on the server, as one part of a path. Throws USAGE where it cannot be such a name. */
export function pathPart(name: string, what: string): string {
  // Dots alone would be taken for a step up the path.
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(name) || /^\.+$/.test(name)) {
    throw new ReelmillError("USAGE", `"${name}" is no ${what}: letters, digits, dots, - and _ alone are allowed.`);
  }
  return name;
}

/** An object's key as a path; its slashes stay. */
export function objectPath(key: string): string {
  const parts = key.split("/");
  if (parts.some((part) => part === "" || /^\.+$/.test(part) || !part.isWellFormed())) {
    throw new ReelmillError("OBJECT_KEY_INVALID", `"${key}" is not the key of an object.`);
  }
  return `/v1/objects/${parts.map(encodeURIComponent).join("/")}`;
}

/** A path with a query; what is undefined is left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`;
}
