import { type ByteSource, readExactly } from "../media/bytes/byte-source.ts";
import type { Triage } from "./triage.ts";

/** First bytes of kinds of files that are no recordings and that people have beside theirs. */
const SIGNATURES: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["a program", [0x7f, 0x45, 0x4c, 0x46]],
  ["a program", [0x4d, 0x5a]],
  ["a program", [0xcf, 0xfa, 0xed, 0xfe]],
  ["a PNG picture", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]],
  ["a JPEG picture", [0xff, 0xd8, 0xff]],
  ["a GIF picture", [0x47, 0x49, 0x46, 0x38]],
  ["a TIFF or raw picture", [0x49, 0x49, 0x2a, 0x00]],
  ["a TIFF or raw picture", [0x4d, 0x4d, 0x00, 0x2a]],
  ["a PDF document", [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ["a ZIP archive or office document", [0x50, 0x4b, 0x03, 0x04]],
  ["a gzip archive", [0x1f, 0x8b, 0x08]],
  ["a 7z archive", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ["a RAR archive", [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07]],
];
const TEXT_BYTES = 4096;
/** A partition pack's key, SMPTE ST 377-1 §7.1: the designator and version of fixed-length packs, then the item. */
const MXF_KEY = [0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0d, 0x01, 0x02, 0x01, 0x01];
/** What tells at the very start. */
const MXF_START_BYTES = 8;
/** What may stand before the first partition takes less (ST 377-1 §6.5). */
const MXF_RUN_IN_BYTES = 65_536;
const MXF = "MXF, which is not mended";

/** What a file without any box seems to be by its first bytes, when that is no recording; undefined where they do not tell. */
export function foreignFileOf(source: ByteSource): string | undefined {
  const head = readExactly(source, 0, Math.min(TEXT_BYTES, source.sizeBytes)) ?? new Uint8Array(0);
  const known = SIGNATURES.find(([, bytes]) => bytes.every((byte, index) => head[index] === byte));
  return known?.[0] ?? (isText(head) ? "text" : isMxf(source) ? MXF : undefined);
}

/** Whether a file without any box is MXF: its packets might be taken for those of MP4 and MOV, which they are not framed as. */
export function isMxf(source: ByteSource): boolean {
  const head = readExactly(source, 0, Math.min(MXF_RUN_IN_BYTES + MXF_KEY.length, source.sizeBytes));
  if (head === undefined) return false;
  const stands = (at: number, length: number): boolean =>
    MXF_KEY.every((byte, index) => index >= length || head[at + index] === byte);
  if (stands(0, MXF_START_BYTES)) return true;
  for (let at = head.indexOf(MXF_KEY[0] as number); at >= 0; at = head.indexOf(MXF_KEY[0] as number, at + 1)) {
    if (stands(at, MXF_KEY.length)) return true;
  }
  return false;
}

/** What a file that is no MP4 or MOV looks like, in the user's terms: `matroska`, `text`, `nothing known`. */
export function nameContent(source: ByteSource, container: Triage["container"]): string {
  return container === "unknown" ? (foreignFileOf(source) ?? "nothing known") : container;
}

/** Nothing but printable characters, tabs and line ends; of UTF-8 only that its bytes are not controls. */
function isText(head: Uint8Array): boolean {
  const isPlain = (byte: number): boolean => (byte >= 0x20 ? byte !== 0x7f : byte === 9 || byte === 10 || byte === 13);
  return head.length > 0 && head.every(isPlain);
}
