import { hasControlCharacter, shownValue } from "./playlist-error.ts";

/** Where a reference leads, or why it is not followed. */
export type ResolvedReference =
  /** A path below the presentation's folder, `/` between its parts, without `.` and `..`. */
  | { readonly path: string }
  /** One sentence in the user's terms. */
  | { readonly problem: string };

/**
 * Resolves a reference in the playlist that lies at `playlistPath` (below the presentation's folder) as RFC 3986 §5 does, but
 * only plain relative ones: nothing with a scheme, a host, a query or a fragment, nothing absolute, and nothing that leads
 * out of the folder, in whatever way it is encoded.
 */
export function resolveReference(playlistPath: string, reference: string): ResolvedReference {
  const refuse = (why: string): ResolvedReference => ({ problem: `${shownValue(reference)} ${why}.` });
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(reference)) return refuse("is not a relative reference: it names a scheme");
  if (/^[/\\]/.test(reference)) return refuse("is an absolute path; only relative ones are followed");
  if (/[?#]/.test(reference)) return refuse("has a query or a fragment, which files do not have");
  let decoded: string;
  try {
    decoded = decodeURIComponent(reference);
  } catch {
    return refuse("has a percent sign that is not followed by an encoded character");
  }
  if (/%(2f|5c)/i.test(reference) || decoded.includes("\\") || hasControlCharacter(decoded)) {
    return refuse("holds an encoded slash, a backslash or a control character");
  }
  const parts = playlistPath.split("/").slice(0, -1);
  for (const part of decoded.split("/")) {
    if (part === "..") {
      if (parts.length === 0) return refuse("leads out of the folder of the presentation");
      parts.pop();
    } else if (part !== "." && part !== "") parts.push(part);
  }
  const isFile = decoded !== "" && !/(^|\/)\.{0,2}$/.test(decoded);
  return isFile ? { path: parts.join("/") } : refuse("names no file");
}
