import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { assertNever } from "../../src/base/assert-never.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import { type ByteRange, type Layout, largestMdat, type TopBox } from "./layout.ts";

/** What each damage does to a recording whose payload is the `mdat` (or fragments, clusters, `movi` list). */
export const DAMAGES = {
  T30: "index gone, payload cut at 30 %",
  T60: "index gone, payload cut at 60 %",
  T95: "index gone, payload cut at 95 %",
  T100: "index gone, payload whole",
  HOLE: "T100 with 64 KiB of zeros in the middle",
  F60: "index in front and whole, file cut at 60 % of the payload",
  INITLOST: "fragmented file whose moov is overwritten with zeros",
  STALE: "T100, the mdat header tells half of its true size",
  STALE8: "T100, the mdat header tells an empty box",
  LARGE1: "T100, the mdat header is 64-bit with a size of 0",
  ZEROTAIL: "T100 with 1 MiB of preallocated zeros after the payload",
  ZEROMOOV: "the moov's bytes, header included, are zeros",
  RANDHOLE: "T100 with 64 KiB of random bytes in the middle",
  TWOHOLES: "T100 with 64 KiB of zeros at one third and two thirds",
} as const;

/** A name of the table. */
export type Damage = keyof typeof DAMAGES;

/** Those that the peers' published figures were measured with; the others are asked for by name or with ALL. */
export const STANDARD_DAMAGES: readonly Damage[] = ["F60", "T30", "T60", "T95", "T100", "HOLE", "INITLOST"];

/** Whether bytes in the middle of the payload are overwritten. */
export function hasHole(damage: Damage): boolean {
  return damage === "HOLE" || damage === "RANDHOLE" || damage === "TWOHOLES";
}

/** A run of the damaged file's bytes: copied from the original, given, zeros, or noise from a fixed seed. */
export type Piece =
  | { readonly kind: "copy"; readonly startOffset: number; readonly lengthBytes: number }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "zeros" | "noise"; readonly lengthBytes: number };

/** A damaged file as a list of pieces, and which bytes of the original it no longer holds. */
export interface DamagePlan {
  readonly pieces: readonly Piece[];
  /** In offsets of the original file. */
  readonly lost: readonly ByteRange[];
}

const HOLE_BYTES = 64 * 1024;
const ZERO_TAIL_BYTES = 1024 * 1024;

/** The damages that mean something for a file of this layout, in the order of the table above. */
export function applicableDamages(layout: Layout): readonly Damage[] {
  const cuts: readonly Damage[] = ["T30", "T60", "T95"];
  const holes: readonly Damage[] = ["HOLE", "RANDHOLE", "TWOHOLES"];
  switch (layout.kind) {
    case "mp4": {
      const moovIndex = layout.boxes.findIndex((box) => box.type === "moov");
      const isIndexFirst = moovIndex < layout.boxes.findIndex((box) => box.type === "mdat");
      const stale: readonly Damage[] = ["STALE", "STALE8", "LARGE1", "ZEROTAIL", "ZEROMOOV"];
      return [...(isIndexFirst ? (["F60"] as const) : []), ...cuts, "T100", ...holes, ...stale];
    }
    case "fragmented":
      return [...cuts, ...holes, "INITLOST", "ZEROTAIL"];
    case "avi":
    case "mkv":
      return [...cuts, "T100", ...holes];
    default:
      return assertNever(layout);
  }
}

/** Plans one damage. Throws INTERNAL where it does not apply to the layout (see `applicableDamages`). */
export function planDamage(layout: Layout, damage: Damage): DamagePlan {
  if (!applicableDamages(layout).includes(damage)) {
    throw new ReelmillError("INTERNAL", `${damage} does not apply to a file of kind ${layout.kind}.`);
  }
  switch (layout.kind) {
    case "mp4":
      return planIndexed(layout.sizeBytes, layout.boxes, damage);
    case "fragmented":
      return planFragmented(layout.sizeBytes, layout.boxes, damage);
    case "avi": {
      // The writer fills in both sizes when it closes the file, so a cut one still holds zeros.
      const zero = new Uint8Array(4);
      const patches = new Map([
        [4, zero],
        [layout.moviOffset - 8, zero],
      ]);
      const payload = { startOffset: layout.moviOffset, endOffset: layout.moviOffset + layout.moviBytes };
      return planFlat(patches, payload, damage, true);
    }
    case "mkv": {
      // An unfinished Segment has the unknown size: every value bit set (RFC 8794 §6.2).
      const unknown = new Uint8Array(layout.segmentSizeBytes).fill(0xff);
      unknown[0] = 0x1ff >> layout.segmentSizeBytes;
      return planFlat(new Map([[layout.segmentSizeOffset, unknown]]), layout.clusters, damage, true);
    }
    default:
      return assertNever(layout);
  }
}

/** Writes the damaged file, streaming from the original. Returns its size in bytes. */
export function writeDamaged(originalPath: string, plan: DamagePlan, damagedPath: string): number {
  const input = openSync(originalPath, "r");
  const output = openSync(damagedPath, "w");
  const buffer = Buffer.alloc(4 * 1024 * 1024);
  let written = 0;
  try {
    for (const piece of plan.pieces) {
      if (piece.kind === "bytes") {
        written += writeSync(output, piece.bytes);
        continue;
      }
      for (let done = 0; done < piece.lengthBytes; ) {
        const part = buffer.subarray(0, Math.min(buffer.length, piece.lengthBytes - done));
        if (piece.kind === "copy") readSync(input, part, 0, part.length, piece.startOffset + done);
        else if (piece.kind === "zeros") part.fill(0);
        else fillNoise(part);
        done += writeSync(output, part);
      }
      written += piece.lengthBytes;
    }
  } finally {
    closeSync(input);
    closeSync(output);
  }
  return written;
}

function cutFraction(damage: Damage): number {
  return damage === "T30" ? 0.3 : damage === "T60" ? 0.6 : damage === "T95" ? 0.95 : 1;
}

/** The holes that a damage makes in a payload. Small payloads get a hole of 5 %, so that something is left beside it. */
function holesIn(payload: ByteRange, damage: Damage, isSmallAllowed: boolean): ByteRange[] {
  if (!hasHole(damage)) return [];
  const payloadBytes = payload.endOffset - payload.startOffset;
  const holeBytes = isSmallAllowed
    ? Math.min(HOLE_BYTES, Math.max(4096, Math.floor(payloadBytes / 20)))
    : Math.min(HOLE_BYTES, Math.floor(payloadBytes / 4));
  const places = damage === "TWOHOLES" ? [payloadBytes / 3, (payloadBytes * 2) / 3] : [payloadBytes / 2];
  return places.map((place) => {
    const startOffset = payload.startOffset + Math.floor(place);
    return { startOffset, endOffset: Math.min(startOffset + holeBytes, payload.endOffset) };
  });
}

function copyPiece(startOffset: number, endOffset: number): Piece {
  return { kind: "copy", startOffset, lengthBytes: Math.max(0, endOffset - startOffset) };
}

function payloadPieces(startOffset: number, endOffset: number, holes: readonly ByteRange[], damage: Damage): Piece[] {
  const pieces: Piece[] = [];
  let offset = startOffset;
  for (const hole of holes) {
    pieces.push(copyPiece(offset, hole.startOffset));
    pieces.push({
      kind: damage === "RANDHOLE" ? "noise" : "zeros",
      lengthBytes: hole.endOffset - hole.startOffset,
    });
    offset = hole.endOffset;
  }
  pieces.push(copyPiece(offset, endOffset));
  return pieces;
}

function planIndexed(fileBytes: number, boxes: readonly TopBox[], damage: Damage): DamagePlan {
  const mdat = largestMdat(boxes);
  const payload = { startOffset: mdat.offset + mdat.headerBytes, endOffset: mdat.offset + mdat.sizeBytes };
  const payloadBytes = payload.endOffset - payload.startOffset;
  if (damage === "F60") {
    const cut = payload.startOffset + Math.floor(payloadBytes * 0.6);
    return { pieces: [copyPiece(0, cut)], lost: [{ startOffset: cut, endOffset: Infinity }] };
  }
  if (damage === "ZEROMOOV") return zeroMoov(fileBytes, boxes);
  const cut = payload.startOffset + Math.floor(payloadBytes * cutFraction(damage));
  const holes = holesIn(payload, damage, true);
  const otherMdats = boxes.filter((box) => box.type === "mdat" && box !== mdat);
  const pieces: Piece[] = boxes
    .filter((box) => box.offset < mdat.offset && box.type !== "moov" && box.type !== "mdat")
    .map((box) => copyPiece(box.offset, box.offset + box.sizeBytes));
  pieces.push({ kind: "bytes", bytes: mdatHeader(mdat, payloadBytes, damage) });
  pieces.push(...payloadPieces(payload.startOffset, cut, holes, damage));
  if (damage === "ZEROTAIL") pieces.push({ kind: "zeros", lengthBytes: ZERO_TAIL_BYTES });
  const lost = [...holes, { startOffset: cut, endOffset: Infinity }];
  lost.push(...otherMdats.map((box) => ({ startOffset: box.offset, endOffset: box.offset + box.sizeBytes })));
  return { pieces, lost };
}

/** What a recorder that never came to close the file leaves as the header of its `mdat`. */
function mdatHeader(mdat: TopBox, payloadBytes: number, damage: Damage): Uint8Array {
  const isLarge = damage === "LARGE1" || mdat.headerBytes === 16;
  const sizeBytes = damage === "STALE" ? 8 + Math.floor(payloadBytes / 2) : damage === "STALE8" ? 8 : 0;
  const header = Buffer.alloc(isLarge ? 16 : 8);
  header.writeUInt32BE(isLarge ? 1 : Math.min(sizeBytes, 0xffffffff), 0);
  header.write("mdat", 4, "latin1");
  if (isLarge) header.writeBigUInt64BE(BigInt(sizeBytes === 0 ? 0 : sizeBytes + 8), 8);
  return header;
}

function zeroMoov(fileBytes: number, boxes: readonly TopBox[]): DamagePlan {
  const pieces: Piece[] = [];
  let offset = 0;
  for (const moov of boxes.filter((box) => box.type === "moov")) {
    pieces.push(copyPiece(offset, moov.offset), { kind: "zeros", lengthBytes: moov.sizeBytes });
    offset = moov.offset + moov.sizeBytes;
  }
  pieces.push(copyPiece(offset, fileBytes));
  return { pieces, lost: [] };
}

function planFragmented(fileBytes: number, boxes: readonly TopBox[], damage: Damage): DamagePlan {
  if (damage === "INITLOST") return zeroMoov(fileBytes, boxes);
  const startOffset = boxes.find((box) => box.type === "moof")?.offset ?? 0;
  const ends = boxes.filter((box) => box.type === "mdat").map((box) => box.offset + box.sizeBytes);
  const plan = planFlat(new Map(), { startOffset, endOffset: Math.max(...ends) }, damage, false);
  if (damage !== "ZEROTAIL") return plan;
  return { pieces: [...plan.pieces, { kind: "zeros", lengthBytes: ZERO_TAIL_BYTES }], lost: plan.lost };
}

/** A payload cut or holed in place, everything before it kept but for a few patched bytes. */
function planFlat(
  patches: ReadonlyMap<number, Uint8Array>,
  payload: ByteRange,
  damage: Damage,
  isSmallHoleAllowed: boolean,
): DamagePlan {
  const cut = payload.startOffset + Math.floor((payload.endOffset - payload.startOffset) * cutFraction(damage));
  const holes = holesIn(payload, damage, isSmallHoleAllowed);
  const pieces: Piece[] = [];
  let offset = 0;
  for (const [patchOffset, bytes] of [...patches].sort(([a], [b]) => a - b)) {
    pieces.push(copyPiece(offset, patchOffset), { kind: "bytes", bytes });
    offset = patchOffset + bytes.length;
  }
  pieces.push(...payloadPieces(offset, cut, holes, damage));
  return { pieces, lost: [...holes, { startOffset: cut, endOffset: Infinity }] };
}

/** Noise that is the same in every run (an LCG after Numerical Recipes; its high byte is the output). */
function fillNoise(target: Uint8Array): void {
  let state = 0x5eed;
  for (let index = 0; index < target.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    target[index] = state >>> 24;
  }
}
