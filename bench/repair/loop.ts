import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { ReelmillError } from "../../src/base/errors.ts";
import { largestMdat, readAt, readLayout } from "./layout.ts";

/** A box inside a buffer. */
interface Box {
  readonly type: string;
  /** The box with its header. */
  readonly whole: Buffer;
  readonly payload: Buffer;
}

/** What stays the same for every table of a looped movie. */
interface LoopPlan {
  readonly times: number;
  /** Bytes of one round of the payload. */
  readonly roundBytes: number;
  /** What a chunk offset of the original grows by in the first round. */
  readonly shiftBytes: number;
  /** Length of one round: that of the longest track. */
  readonly roundSeconds: number;
  readonly movieTimescale: number;
  readonly isLarge: boolean;
}

/** These describe single samples and are left out of a loop. */
const DROPPED_TABLES: ReadonlySet<string> = new Set(["sdtp", "sbgp", "sgpd", "subs", "padb", "saiz", "saio"]);

/**
 * Makes a long recording of a short one: the sample data `times` over, with the device's own chunk interleave,
 * sample entries and extra tracks, and the moov at the end as recorders write it. The last sample of each round is
 * stretched so that all tracks start the next round together. Throws USAGE for a fragmented file, AVI or Matroska,
 * or one whose samples lie in several mdat boxes.
 */
export function loopRecording(inputPath: string, outputPath: string, times: number): void {
  const layout = readLayout(inputPath);
  if (layout.kind !== "mp4") throw new ReelmillError("USAGE", `${inputPath} is ${layout.kind}; only MP4 and MOV loop.`);
  const mdat = largestMdat(layout.boxes);
  const payloadOffset = mdat.offset + mdat.headerBytes;
  const roundBytes = mdat.sizeBytes - mdat.headerBytes;
  const moov = layout.boxes.find((box) => box.type === "moov");
  if (moov === undefined) throw new ReelmillError("USAGE", `${inputPath} has no moov.`);
  const kept = layout.boxes.filter((box) => box.offset < mdat.offset && box.type !== "moov" && box.type !== "mdat");
  const keptBytes = kept.reduce((sum, box) => sum + box.sizeBytes, 0);
  const isLarge = roundBytes * times + keptBytes + 16 > 0xffffffff;
  const input = openSync(inputPath, "r");
  const output = openSync(outputPath, "w");
  try {
    const movie = readAt(input, moov.offset + moov.headerBytes, moov.sizeBytes - moov.headerBytes);
    const plan: LoopPlan = {
      times,
      roundBytes,
      shiftBytes: keptBytes + (isLarge ? 16 : 8) - payloadOffset,
      roundSeconds: Math.max(
        0,
        ...listBoxes(movie)
          .filter((box) => box.type === "trak")
          .map(trackSeconds),
      ),
      movieTimescale: readTimescale(need(movie, "mvhd")),
      isLarge,
    };
    for (const box of kept) writeSync(output, readAt(input, box.offset, box.sizeBytes));
    writeSync(output, mdatHeader(roundBytes * times, isLarge));
    for (let round = 0; round < times; round++) copyRange(input, output, payloadOffset, roundBytes);
    writeSync(output, makeBox("moov", rewriteMovie(movie, plan)));
  } finally {
    closeSync(input);
    closeSync(output);
  }
}

function mdatHeader(payloadBytes: number, isLarge: boolean): Buffer {
  const header = Buffer.alloc(isLarge ? 16 : 8);
  header.writeUInt32BE(isLarge ? 1 : payloadBytes + 8, 0);
  header.write("mdat", 4, "latin1");
  if (isLarge) header.writeBigUInt64BE(BigInt(payloadBytes + 16), 8);
  return header;
}

function copyRange(input: number, output: number, startOffset: number, lengthBytes: number): void {
  const buffer = Buffer.alloc(Math.min(lengthBytes, 4 * 1024 * 1024));
  for (let done = 0; done < lengthBytes; ) {
    const got = readSync(input, buffer, 0, Math.min(buffer.length, lengthBytes - done), startOffset + done);
    writeSync(output, buffer, 0, got);
    done += got;
  }
}

function listBoxes(buffer: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let offset = 0; offset + 8 <= buffer.length; ) {
    const sizeBytes = buffer.readUInt32BE(offset);
    if (sizeBytes < 8 || offset + sizeBytes > buffer.length) break;
    const whole = buffer.subarray(offset, offset + sizeBytes);
    boxes.push({ type: whole.toString("latin1", 4, 8), whole, payload: whole.subarray(8) });
    offset += sizeBytes;
  }
  return boxes;
}

function find(buffer: Buffer, ...path: readonly string[]): Buffer | undefined {
  return path.reduce<Buffer | undefined>(
    (inside, type) => (inside === undefined ? undefined : listBoxes(inside).find((box) => box.type === type)?.payload),
    buffer,
  );
}

function need(buffer: Buffer, ...path: readonly string[]): Buffer {
  const found = find(buffer, ...path);
  if (found === undefined) throw new ReelmillError("USAGE", `The recording has no ${path.join("/")} box to loop.`);
  return found;
}

function makeBox(type: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(payload.length + 8, 0);
  header.write(type, 4, "latin1");
  return Buffer.concat([header, payload]);
}

/** The timescale of an mvhd or mdhd payload. */
function readTimescale(payload: Buffer): number {
  return payload.readUInt32BE(payload[0] === 1 ? 20 : 12);
}

/** The rows of a full box's table of u32 columns, which starts `skipBytes` into the payload. */
function readRows(payload: Buffer, columns: number, skipBytes = 4): number[][] {
  const count = payload.readUInt32BE(skipBytes);
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: columns }, (_, column) => payload.readUInt32BE(skipBytes + 4 + (row * columns + column) * 4)),
  );
}

/** A full box's table of u32 columns: the version and flags of `payload`, a count, the rows. */
function writeRows(payload: Buffer, rows: readonly (readonly number[])[]): Buffer {
  const values = [rows.length, ...rows.flat()];
  const table = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    table.writeUInt32BE(value, index * 4);
  });
  return Buffer.concat([payload.subarray(0, 4), table]);
}

function mediaTicks(stts: Buffer): number {
  return readRows(stts, 2).reduce((sum, [count = 0, ticks = 0]) => sum + count * ticks, 0);
}

function trackSeconds(track: Box): number {
  const timescale = readTimescale(need(track.payload, "mdia", "mdhd"));
  return mediaTicks(need(track.payload, "mdia", "minf", "stbl", "stts")) / timescale;
}

function rewriteMovie(movie: Buffer, plan: LoopPlan): Buffer {
  const movieTicks = Math.round(plan.roundSeconds * plan.times * plan.movieTimescale);
  const boxes = listBoxes(movie).map((box) => {
    if (box.type === "trak") return rewriteTrack(box.payload, plan);
    return box.type === "mvhd" ? makeBox("mvhd", withDuration(box.payload, 16, 24, movieTicks)) : box.whole;
  });
  return Buffer.concat(boxes);
}

function rewriteTrack(track: Buffer, plan: LoopPlan): Buffer {
  const timescale = readTimescale(need(track, "mdia", "mdhd"));
  const tables = need(track, "mdia", "minf", "stbl");
  const stts = loopDurations(tables, plan, timescale);
  const ticks = mediaTicks(stts);
  const movieTicks = Math.round((ticks / timescale) * plan.movieTimescale);
  const rewrite = (box: Box): Buffer => {
    const { type, payload } = box;
    if (type === "mdia" || type === "minf" || type === "edts") {
      return makeBox(type, Buffer.concat(listBoxes(payload).map(rewrite)));
    }
    if (type === "tkhd") return makeBox(type, withDuration(payload, 20, 28, movieTicks));
    if (type === "mdhd") return makeBox(type, withDuration(payload, 16, 24, ticks));
    if (type === "elst") return makeBox(type, loopEdits(payload, movieTicks));
    return type === "stbl" ? makeBox(type, rewriteTables(tables, stts, plan)) : box.whole;
  };
  return makeBox("trak", Buffer.concat(listBoxes(track).map(rewrite)));
}

/** Sets the duration of an mvhd, mdhd or tkhd payload, which lies elsewhere in versions 0 and 1. */
function withDuration(payload: Buffer, version0Offset: number, version1Offset: number, ticks: number): Buffer {
  const copy = Buffer.from(payload);
  if (payload[0] === 1) copy.writeBigUInt64BE(BigInt(ticks), version1Offset);
  else copy.writeUInt32BE(Math.min(ticks, 0xffffffff), version0Offset);
  return copy;
}

/** Keeps a leading empty edit and the first media edit, which then lasts for the whole loop. */
function loopEdits(payload: Buffer, movieTicks: number): Buffer {
  const entryBytes = payload[0] === 1 ? 20 : 12;
  const entries: Buffer[] = [];
  for (let offset = 8; offset + entryBytes <= payload.length; offset += entryBytes) {
    const entry = Buffer.from(payload.subarray(offset, offset + entryBytes));
    const isEmpty = entryBytes === 20 ? entry.readBigInt64BE(8) === -1n : entry.readInt32BE(4) === -1;
    if (!isEmpty && entryBytes === 20) entry.writeBigUInt64BE(BigInt(movieTicks), 0);
    else if (!isEmpty) entry.writeUInt32BE(Math.min(movieTicks, 0xffffffff), 0);
    entries.push(entry);
    if (!isEmpty) break;
  }
  const head = Buffer.from(payload.subarray(0, 8));
  head.writeUInt32BE(entries.length, 4);
  return Buffer.concat([head, ...entries]);
}

function loopDurations(tables: Buffer, plan: LoopPlan, timescale: number): Buffer {
  const stts = need(tables, "stts");
  const rows = readRows(stts, 2);
  const isConstantSize = (find(tables, "stsz")?.readUInt32BE(4) ?? 0) !== 0;
  const pad = isConstantSize ? 0 : Math.max(0, Math.round(plan.roundSeconds * timescale) - mediaTicks(stts));
  const looped: [number, number][] = [];
  const push = (count: number, ticks: number) => {
    const last = looped.at(-1);
    if (count === 0) return;
    if (last !== undefined && last[1] === ticks) last[0] += count;
    else looped.push([count, ticks]);
  };
  for (let round = 0; round < plan.times; round++) {
    rows.forEach(([count = 0, ticks = 0], index) => {
      const isPadded = pad > 0 && index === rows.length - 1 && round < plan.times - 1 && count > 0;
      push(isPadded ? count - 1 : count, ticks);
      if (isPadded) push(1, ticks + pad);
    });
  }
  return writeRows(stts, looped);
}

function rewriteTables(tables: Buffer, stts: Buffer, plan: LoopPlan): Buffer {
  const chunkCount = (find(tables, "stco") ?? need(tables, "co64")).readUInt32BE(4);
  const sampleCount = need(tables, "stsz").readUInt32BE(8);
  const rounds = Array.from({ length: plan.times }, (_, round) => round);
  const boxes = listBoxes(tables).map(({ type, payload, whole }) => {
    switch (type) {
      case "stts":
        return makeBox(type, stts);
      case "ctts":
        return makeBox(
          type,
          writeRows(
            payload,
            rounds.flatMap(() => readRows(payload, 2)),
          ),
        );
      case "stsz": {
        const head = Buffer.from(payload.subarray(0, 12));
        head.writeUInt32BE(sampleCount * plan.times, 8);
        return makeBox(type, Buffer.concat([head, ...rounds.map(() => payload.subarray(12))]));
      }
      case "stsc": {
        const rows = rounds.flatMap((round) =>
          readRows(payload, 3).map(([first = 0, ...rest]) => [first + round * chunkCount, ...rest]),
        );
        return makeBox(type, writeRows(payload, rows));
      }
      case "stco":
      case "co64":
        return loopChunkOffsets(type, payload, plan);
      case "stss":
      case "stps": {
        const rows = rounds.flatMap((round) => readRows(payload, 1).map(([n = 0]) => [n + round * sampleCount]));
        return makeBox(type, writeRows(payload, rows));
      }
      default:
        return DROPPED_TABLES.has(type) ? Buffer.alloc(0) : whole;
    }
  });
  return Buffer.concat(boxes);
}

function loopChunkOffsets(type: "stco" | "co64", payload: Buffer, plan: LoopPlan): Buffer {
  const count = payload.readUInt32BE(4);
  const width = plan.isLarge ? 8 : 4;
  const table = Buffer.alloc(8 + count * plan.times * width);
  table.writeUInt32BE(count * plan.times, 4);
  for (let index = 0; index < count * plan.times; index++) {
    const at = 8 + (index % count) * (type === "co64" ? 8 : 4);
    const original = type === "co64" ? Number(payload.readBigUInt64BE(at)) : payload.readUInt32BE(at);
    const round = Math.floor(index / count);
    const offset = original + plan.shiftBytes + round * plan.roundBytes;
    if (plan.isLarge) table.writeBigUInt64BE(BigInt(offset), 8 + index * 8);
    else table.writeUInt32BE(offset, 8 + index * 4);
  }
  return makeBox(plan.isLarge ? "co64" : "stco", table);
}
