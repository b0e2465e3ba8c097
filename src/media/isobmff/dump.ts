import { ReelmillError } from "../../base/errors.ts";
import { formatCount } from "../../base/units.ts";
import { type ByteSource, readExactly } from "../bytes/byte-source.ts";
import { type BoxReader, openBox } from "./box-reader.ts";
import { describeBox } from "./dump-fields.ts";
import { scanTopLevelBoxes, topLevelEndBytes } from "./top-level.ts";

/** Boxes whose payload is nothing but boxes. */
const CONTAINERS: readonly string[] = [
  ...["moov", "trak", "mdia", "minf", "stbl", "edts", "dinf", "udta", "mvex", "moof", "traf", "mfra", "gmhd", "tapt"],
  ...["tref", "wave"],
];
/** Largest top-level box whose inside is shown, in bytes. */
const MAX_OPENED_BYTES = 512 * 1024 * 1024;
const MAX_DEPTH = 16;

/** How `dumpBoxes` shows a file. */
export interface DumpOptions {
  /** Levels shown, 1 for the file's own boxes only. Default 16. */
  readonly maxDepth?: number;
  /** Lines after which the rest is left out. Default 10,000. */
  readonly maxLines?: number;
}

/**
 * The tree of boxes as text, one line per box: type, absolute offset, size, key fields; two spaces per level; a line
 * break after each line. Never throws: what cannot be read says so on its line.
 */
export function dumpBoxes(source: ByteSource, options: DumpOptions = {}): string {
  const { maxDepth = MAX_DEPTH, maxLines = 10_000 } = options;
  const lines: string[] = [];
  const boxes = scanTopLevelBoxes(source);
  for (const box of boxes) {
    if (lines.length >= maxLines) break;
    const isOpened = box.type !== "mdat" && box.sizeKind !== "to-end" && box.sizeBytes <= MAX_OPENED_BYTES;
    const isSmall = CONTAINERS.includes(box.type) || box.sizeBytes <= 1024 * 1024;
    const bytes = isOpened && isSmall ? readExactly(source, box.offsetBytes, box.sizeBytes) : undefined;
    const missing = box.declaredSizeBytes - box.sizeBytes;
    const note =
      box.sizeKind === "to-end" ? " to the end" : missing > 0 ? ` ${formatCount(missing, "byte")} missing` : "";
    if (bytes === undefined) lines.push(line(0, box.type, box.offsetBytes, box.sizeBytes, note));
    else dumpBox(openBox(bytes, box.offsetBytes), 0, note, Math.min(maxDepth, MAX_DEPTH), maxLines, lines);
  }
  const end = topLevelEndBytes(boxes);
  if (end < source.sizeBytes)
    lines.push(`[no box from byte ${end} on, ${formatCount(source.sizeBytes - end, "byte")}]`);
  const isCut = lines.length > maxLines;
  if (isCut) lines.length = maxLines;
  return `${lines.join("\n")}\n${isCut ? "[more left out]\n" : ""}`;
}

function dumpBox(
  box: BoxReader,
  depth: number,
  note: string,
  maxDepth: number,
  maxLines: number,
  lines: string[],
): void {
  const clipped = box.isClipped && note === "" ? " reaches past its parent" : note;
  lines.push(line(depth, box.type, box.offsetBytes, box.sizeBytes, `${describe(box)}${clipped}`));
  if (!CONTAINERS.includes(box.type) || depth + 1 >= maxDepth) return;
  for (const child of box.children()) {
    if (lines.length > maxLines) return;
    dumpBox(child, depth + 1, "", maxDepth, maxLines, lines);
  }
}

function describe(box: BoxReader): string {
  try {
    const text = describeBox(box);
    return text === "" ? "" : ` ${text}`;
  } catch (error) {
    if (!(error instanceof ReelmillError)) throw error;
    return " cannot be read";
  }
}

function line(depth: number, type: string, offsetBytes: number, sizeBytes: number, rest: string): string {
  return `${"  ".repeat(depth)}${printable(type)} @${offsetBytes} ${sizeBytes}${rest}`;
}

/** A box type with bytes that are no text written as hexadecimal escapes. */
function printable(type: string): string {
  return [...type]
    .map((c) => (c >= " " && c <= "~" ? c : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`))
    .join("");
}
