import { ReelmillError } from "../base/errors.ts";
import { printableLine } from "../base/printable.ts";

const MAX_KEY_BYTES = 1024;
/** What the usual file systems allow one name to take. */
const MAX_SEGMENT_BYTES = 255;
const RESERVED = ".reelmill-";

/** What is wrong with a key, such as "it is empty"; undefined where `requireObjectKey` takes it. */
export function objectKeyFault(key: string): string | undefined {
  if (key === "") return "it is empty";
  return faultOfText(key) ?? firstFault(key.split("/"));
}

function faultOfText(text: string): string | undefined {
  if (Buffer.byteLength(text) > MAX_KEY_BYTES) return `it takes more than ${MAX_KEY_BYTES} bytes of UTF-8`;
  if (!text.isWellFormed()) return "it holds half a surrogate pair, which is no text";
  if (/\p{Cc}/u.test(text)) return "it holds a control character";
  if (text.includes("\\")) return "it holds a backslash";
  return undefined;
}

function firstFault(segments: readonly string[]): string | undefined {
  for (const segment of segments) {
    const fault = faultOfSegment(segment);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOfSegment(segment: string): string | undefined {
  if (segment === "") return "a part between two slashes, or before the first or behind the last, is empty";
  if (segment === "." || segment === "..") return `a part of it is "${segment}"`;
  if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) return `a part of it takes more than ${MAX_SEGMENT_BYTES} bytes`;
  if (isReservedName(segment)) return `names that begin with ${RESERVED} are kept for Reelmill's own files`;
  return undefined;
}

/** Whether a name is one of Reelmill's own, also where a file system takes no notice of case or of invisible characters. */
function isReservedName(name: string): boolean {
  return name
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .toLowerCase()
    .startsWith(RESERVED);
}

function refuse(what: string, text: string, fault: string): never {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  throw new ReelmillError(
    "OBJECT_KEY_INVALID",
    `The ${what} "${printableLine(shown.toWellFormed())}" is not allowed: ${fault}.`,
  );
}

/**
 * The segments of an object's key: 1 to 1024 bytes of UTF-8, segments of 1 to 255 bytes with `/` between them, none of them
 * `.`, `..` or beginning with `.reelmill-`; without control characters, backslashes and lone surrogates. Throws
 * OBJECT_KEY_INVALID, with what is wrong.
 */
export function requireObjectKey(key: string): readonly string[] {
  const fault = objectKeyFault(key);
  return fault === undefined ? key.split("/") : refuse("object key", key, fault);
}

/** Holds the beginning of keys, which may be empty or end in the middle of a segment. Throws OBJECT_KEY_INVALID where no key can begin so. */
export function requireKeyPrefix(prefix: string): void {
  const fault = faultOfText(prefix) ?? firstFault(prefix.split("/").slice(0, -1));
  if (fault !== undefined) refuse("key prefix", prefix, fault);
}

/** Whether `requireObjectKey` takes the key. */
export function isObjectKey(key: string): boolean {
  return objectKeyFault(key) === undefined;
}

/**
 * Orders keys by their bytes of UTF-8, as S3 does; negative where `a` comes first. UTF-16, by which JavaScript compares, puts what takes
 * two units (from U+10000 on) before U+E000 to U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x !== y) return byCodePoint(x) - byCodePoint(y);
  }
  return a.length - b.length;
}

/** A unit of UTF-16 with surrogates moved behind all others, where the code points lie that they are of. */
function byCodePoint(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
