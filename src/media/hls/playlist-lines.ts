import { ReelmillError } from "../../base/errors.ts";
import { type ByteSource, readExactly } from "../bytes/byte-source.ts";
import { hasControlCharacter, playlistError, shownValue } from "./playlist-error.ts";

/** Largest playlist that is read, in bytes: three hundred thousand segments, 500 hours of them. */
const MAX_PLAYLIST_BYTES = 32 * 1024 * 1024;

/** A line that means something: a tag, or a URI. Blank lines and comments are passed over (RFC 8216bis §4.1). */
export interface PlaylistLine {
  /** From 1 on. */
  readonly lineNumber: number;
  /** `#EXT…` without its value, or undefined for a URI. */
  readonly tag: string | undefined;
  /** What follows the tag's colon, or the URI. */
  readonly value: string;
}

/**
 * Reads a playlist's text. Throws MEDIA_MALFORMED where it is larger than 32 MiB, not UTF-8, or begins with a byte order mark
 * (§4.1), and INPUT_UNREADABLE where the source ends early.
 */
export function readPlaylistText(source: ByteSource): string {
  if (source.sizeBytes > MAX_PLAYLIST_BYTES) {
    const problem = `The playlist takes ${source.sizeBytes} bytes; at most ${MAX_PLAYLIST_BYTES} are allowed.`;
    throw new ReelmillError("MEDIA_MALFORMED", problem);
  }
  const bytes = readExactly(source, 0, source.sizeBytes);
  if (bytes === undefined) throw new ReelmillError("INPUT_UNREADABLE", "The playlist ended while it was read.");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ReelmillError("MEDIA_MALFORMED", "The playlist is not UTF-8 text; only that is allowed.", { cause });
  }
}

/**
 * Walks the lines of a playlist, which end in LF or CR LF. Throws MEDIA_MALFORMED where the first is not #EXTM3U or a line
 * holds a control character.
 */
export function* eachPlaylistLine(text: string): Generator<PlaylistLine> {
  let lineNumber = 0;
  let index = 0;
  while (index < text.length) {
    const next = text.indexOf("\n", index);
    const end = next === -1 ? text.length : next;
    const line = text.slice(index, end > index && text[end - 1] === "\r" ? end - 1 : end);
    index = end + 1;
    lineNumber++;
    requireCleanLine(line, lineNumber);
    if (lineNumber === 1) continue;
    if (line.startsWith("#EXT")) {
      const colon = line.indexOf(":");
      const tag = colon === -1 ? line : line.slice(0, colon);
      yield { lineNumber, tag, value: colon === -1 ? "" : line.slice(colon + 1) };
    } else if (line !== "" && !line.startsWith("#")) {
      yield { lineNumber, tag: undefined, value: line };
    }
  }
  if (lineNumber === 0) throw playlistError(1, "the playlist is empty; it must begin with #EXTM3U.");
}

function requireCleanLine(line: string, lineNumber: number): void {
  if (hasControlCharacter(line)) {
    throw playlistError(lineNumber, `${shownValue(line)} holds a control character; none is allowed.`);
  }
  if (lineNumber > 1 || line === "#EXTM3U") return;
  const mark = line.startsWith("\ufeff") ? " The byte order mark must go." : "";
  throw playlistError(1, `it is ${shownValue(line)}; #EXTM3U alone is allowed.${mark}`);
}
