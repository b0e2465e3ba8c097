import { AttributeReader } from "./attribute-list.ts";
import { parseDecimalInteger } from "./decimal.ts";
import type { ByteRange, EncryptionKey, StartPoint } from "./playlist.ts";
import { playlistError, valueError } from "./playlist-error.ts";
import type { PlaylistLine } from "./playlist-lines.ts";

/** Which tags that may stand only once were seen. */
export class SeenTags {
  readonly #seen = new Set<string>();

  /** Throws MEDIA_MALFORMED where `tag` was seen before (RFC 8216bis §4.4.1.2, §4.4.3). */
  once(tag: string, lineNumber: number): void {
    if (this.#seen.has(tag)) throw playlistError(lineNumber, `${tag} stands here again; once is allowed.`);
    this.#seen.add(tag);
  }
}

/** The attributes of a line's tag. Throws MEDIA_MALFORMED where they are no attribute list. */
export function readAttributes(line: PlaylistLine): AttributeReader {
  return new AttributeReader(line.tag ?? "", line.value, line.lineNumber);
}

/** EXT-X-VERSION, 1 or more (§4.4.1.2). */
export function parseVersion(line: PlaylistLine): number {
  return parseDecimalInteger(line.value, line.lineNumber, "#EXT-X-VERSION", 1);
}

/** EXT-X-START (§4.4.2.2). */
export function parseStart(line: PlaylistLine): StartPoint {
  const attributes = readAttributes(line);
  const offsetSeconds = attributes.signedDecimal("TIME-OFFSET");
  if (offsetSeconds === undefined)
    throw playlistError(line.lineNumber, "#EXT-X-START has no TIME-OFFSET; it must have one.");
  return { offsetSeconds, isPrecise: attributes.flag("PRECISE") ?? false };
}

/** EXT-X-KEY or EXT-X-SESSION-KEY (§4.4.4.4, §4.4.6.5); undefined for METHOD=NONE. */
export function parseKey(line: PlaylistLine): EncryptionKey | undefined {
  const attributes = readAttributes(line);
  const method = attributes.needWord("METHOD");
  if (method === "NONE") return undefined;
  const initializationVector = attributes.word("IV");
  if (initializationVector !== undefined && !/^0[xX][0-9a-fA-F]{1,32}$/.test(initializationVector)) {
    const allowed = "0x and up to 32 hexadecimal digits";
    throw valueError(line.lineNumber, `IV of ${attributes.tag}`, initializationVector, allowed);
  }
  const uri = attributes.needQuoted("URI");
  const keyFormat = attributes.quoted("KEYFORMAT");
  const keyFormatVersions = attributes.quoted("KEYFORMATVERSIONS");
  return {
    method,
    uri,
    ...(initializationVector === undefined ? {} : { initializationVector }),
    ...(keyFormat === undefined ? {} : { keyFormat }),
    ...(keyFormatVersions === undefined ? {} : { keyFormatVersions }),
  };
}

/**
 * `length[@offset]` (§4.4.4.2). `impliedOffsetBytes` is where it begins without an offset; undefined where it must have one.
 * Throws MEDIA_MALFORMED.
 */
export function parseByteRange(text: string, lineNumber: number, impliedOffsetBytes: number | undefined): ByteRange {
  const [length = "", offset, ...more] = text.split("@");
  if (more.length > 0) throw valueError(lineNumber, "the byte range", text, "length or length@offset");
  const lengthBytes = parseDecimalInteger(length, lineNumber, "the byte range's length", 1);
  const offsetBytes =
    offset === undefined ? impliedOffsetBytes : parseDecimalInteger(offset, lineNumber, "the byte range's offset");
  if (offsetBytes === undefined) {
    const rule = "without an offset it must follow a segment that is a range of the same URI";
    throw playlistError(lineNumber, `the byte range ${text} has no offset; ${rule}.`);
  }
  if (!Number.isSafeInteger(offsetBytes + lengthBytes)) {
    throw valueError(lineNumber, "the byte range", text, `an end up to ${Number.MAX_SAFE_INTEGER}`);
  }
  return { offsetBytes, lengthBytes };
}

/** Tags of a playlist that is not whole without what Reelmill does not do. Throws MEDIA_MALFORMED for them. */
export function refuseUnsupported(line: PlaylistLine): void {
  if (line.tag === "#EXT-X-DEFINE") {
    throw playlistError(line.lineNumber, "#EXT-X-DEFINE is not supported: playlists with variables are not read.");
  }
  if (line.tag === "#EXT-X-SKIP") {
    throw playlistError(
      line.lineNumber,
      "#EXT-X-SKIP makes this an update of another playlist; a whole one is needed.",
    );
  }
}
