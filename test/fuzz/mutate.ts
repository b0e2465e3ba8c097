import { type BoxPlace, mapBoxes } from "./box-map.ts";
import type { Prng } from "./prng.ts";

/** What a mutation works with. `donors` are other recordings to splice from. */
interface Workbench {
  bytes: Uint8Array;
  readonly prng: Prng;
  readonly boxes: readonly BoxPlace[];
  readonly donors: readonly Uint8Array[];
}

/** A mutated input and how it came about, in words. */
export interface Mutant {
  readonly bytes: Uint8Array;
  readonly steps: readonly string[];
}

/** Values that lengths and counts lie with. */
const LIES: readonly number[] = [
  ...[0, 1, 2, 7, 8, 9, 15, 16, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffff, 0x1000000, 0x3fffffff],
  ...[0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffe, 0xffffffff],
];
/** A mutant may outgrow its seed by so much; more would only make the run slower. */
const MAX_BYTES = 1024 * 1024;
const MAX_STEPS = 5;

type Mutation = (bench: Workbench) => string;

const MUTATIONS: readonly Mutation[] = [
  ...[flipBits, flipBits, setBytes, lieAnywhere, lieInBox, lieInBox, lieBoxSize, lieBoxSize, lieBoxCount, lieBoxCount],
  ...[lieLargeSize, changeType, cut, zeroRun, noiseRun, duplicateRange, removeRange, swapRanges, splice],
  ...[duplicateBox, nestBox, removeBox, swapBoxes, shiftTail],
];

/** Makes an input of a recording by one to five mutations. The same bytes, donors and generator make the same mutant. */
export function mutate(seed: Uint8Array, donors: readonly Uint8Array[], prng: Prng): Mutant {
  const bench: Workbench = { bytes: seed.slice(), prng, boxes: mapBoxes(seed), donors };
  const count = 1 + prng.smallBelow(MAX_STEPS);
  const steps: string[] = [];
  for (let step = 0; step < count; step++) {
    steps.push(prng.pick(MUTATIONS)(bench));
    if (bench.bytes.length > MAX_BYTES) bench.bytes = bench.bytes.slice(0, MAX_BYTES);
  }
  return { bytes: bench.bytes, steps };
}

/** A place anywhere, in boxes other than the sample data half of the time: they are small and matter most. */
function place(bench: Workbench): number {
  const headers = bench.boxes.filter((box) => box.type !== "mdat");
  if (headers.length === 0 || bench.prng.below(2) === 0) return bench.prng.below(bench.bytes.length);
  const box = bench.prng.pick(headers);
  return Math.min(box.offset + bench.prng.below(box.sizeBytes), Math.max(0, bench.bytes.length - 1));
}

function setU32(bench: Workbench, offset: number, value: number): void {
  for (let index = 0; index < 4; index++) {
    if (offset + index < bench.bytes.length) bench.bytes[offset + index] = value >>> (24 - index * 8);
  }
}

function lie(bench: Workbench): number {
  const { prng } = bench;
  if (prng.below(4) > 0) return prng.pick(LIES);
  return prng.below(2) === 0 ? prng.u32() : prng.below(bench.bytes.length + 16);
}

function someBox(bench: Workbench): BoxPlace {
  return bench.boxes.length === 0
    ? { type: "(none)", offset: bench.prng.below(bench.bytes.length), sizeBytes: 64 }
    : bench.prng.pick(bench.boxes);
}

function someRange(bench: Workbench, maxBytes: number): { start: number; end: number } {
  const start = place(bench);
  const end = Math.min(bench.bytes.length, start + 1 + bench.prng.smallBelow(maxBytes));
  return { start, end };
}

/** Earlier steps may have shortened the file: a place past its end means the end. */
function replaceRange(bench: Workbench, wantedStart: number, wantedEnd: number, insert: Uint8Array): void {
  const { bytes } = bench;
  const start = Math.min(wantedStart, bytes.length);
  const end = Math.min(Math.max(start, wantedEnd), bytes.length);
  const result = new Uint8Array(start + insert.length + bytes.length - end);
  result.set(bytes.subarray(0, start));
  result.set(insert, start);
  result.set(bytes.subarray(end), start + insert.length);
  bench.bytes = result;
}

function boxBytes(bench: Workbench, box: BoxPlace): Uint8Array {
  return bench.bytes.slice(box.offset, box.offset + box.sizeBytes);
}

function flipBits(bench: Workbench): string {
  const count = 1 + bench.prng.smallBelow(16);
  for (let done = 0; done < count; done++) {
    const offset = place(bench);
    bench.bytes[offset] = (bench.bytes[offset] ?? 0) ^ (1 << bench.prng.below(8));
  }
  return `flip ${count} bits`;
}

function setBytes(bench: Workbench): string {
  const count = 1 + bench.prng.smallBelow(8);
  for (let done = 0; done < count; done++) {
    bench.bytes[place(bench)] = bench.prng.pick([0, 0xff, 0x7f, 0x80, 1, bench.prng.below(256)]);
  }
  return `set ${count} bytes`;
}

function lieAnywhere(bench: Workbench): string {
  const offset = place(bench);
  const value = lie(bench);
  setU32(bench, offset, value);
  return `u32 at ${offset} = ${value}`;
}

function lieInBox(bench: Workbench): string {
  const box = someBox(bench);
  const offset = box.offset + 8 + 4 * bench.prng.smallBelow((box.sizeBytes - 8) / 4);
  const value = lie(bench);
  setU32(bench, offset, value);
  return `u32 in ${box.type} at ${offset} = ${value}`;
}

function lieBoxSize(bench: Workbench): string {
  const box = someBox(bench);
  const near = box.sizeBytes + bench.prng.below(33) - 16;
  const value = bench.prng.below(3) === 0 ? Math.max(0, near) : lie(bench);
  setU32(bench, box.offset, value);
  return `size of ${box.type} at ${box.offset} = ${value}`;
}

/** The entry count of tables stands after version and flags; that of `stsz` four bytes on. */
function lieBoxCount(bench: Workbench): string {
  const tables = bench.boxes.filter((box) => /^(st..|co64|ctts|elst|trun|sgpd|sbgp|dref|tfra|sidx)$/.test(box.type));
  const box = tables.length === 0 ? someBox(bench) : bench.prng.pick(tables);
  const offset = box.offset + (box.type === "stsz" ? 16 : 12);
  const value = lie(bench);
  setU32(bench, offset, value);
  return `count of ${box.type} at ${offset} = ${value}`;
}

/** Turns the size into the 64-bit form over whatever stands behind it. */
function lieLargeSize(bench: Workbench): string {
  const box = someBox(bench);
  const high = bench.prng.pick([0, 0, 1, 0x1fffff, 0x7fffffff, 0xffffffff]);
  const low = lie(bench);
  setU32(bench, box.offset, 1);
  setU32(bench, box.offset + 8, high);
  setU32(bench, box.offset + 12, low);
  return `64-bit size of ${box.type} at ${box.offset} = ${high}:${low}`;
}

function changeType(bench: Workbench): string {
  const box = someBox(bench);
  const other = someBox(bench);
  for (let index = 0; index < 4; index++) bench.bytes[box.offset + 4 + index] = other.type.charCodeAt(index);
  return `${box.type} at ${box.offset} becomes ${other.type}`;
}

function cut(bench: Workbench): string {
  const length = place(bench);
  bench.bytes = bench.bytes.slice(0, length);
  return `cut at ${length}`;
}

function zeroRun(bench: Workbench): string {
  const { start, end } = someRange(bench, 8192);
  bench.bytes.fill(0, start, end);
  return `zeros ${start}-${end}`;
}

function noiseRun(bench: Workbench): string {
  const { start, end } = someRange(bench, 8192);
  for (let offset = start; offset < end; offset++) bench.bytes[offset] = bench.prng.below(256);
  return `noise ${start}-${end}`;
}

function duplicateRange(bench: Workbench): string {
  const { start, end } = someRange(bench, 4096);
  const times = 1 + bench.prng.smallBelow(8);
  const part = bench.bytes.slice(start, end);
  for (let done = 0; done < times; done++) replaceRange(bench, end, end, part);
  return `repeat ${start}-${end} ${times} times`;
}

function removeRange(bench: Workbench): string {
  const { start, end } = someRange(bench, 8192);
  replaceRange(bench, start, end, new Uint8Array(0));
  return `remove ${start}-${end}`;
}

function swapRanges(bench: Workbench): string {
  const a = someRange(bench, 2048);
  const b = place(bench);
  const length = Math.min(a.end - a.start, bench.bytes.length - b);
  const first = bench.bytes.slice(a.start, a.start + length);
  bench.bytes.copyWithin(a.start, b, b + length);
  bench.bytes.set(first.subarray(0, Math.min(first.length, bench.bytes.length - b)), b);
  return `swap ${length} bytes at ${a.start} and ${b}`;
}

function splice(bench: Workbench): string {
  if (bench.donors.length === 0) return "splice nothing";
  const donor = bench.prng.pick(bench.donors);
  const from = bench.prng.below(donor.length);
  const part = donor.slice(from, from + 1 + bench.prng.smallBelow(32768));
  const at = place(bench);
  const end = bench.prng.below(2) === 0 ? at : Math.min(bench.bytes.length, at + part.length);
  replaceRange(bench, at, end, part);
  return `splice ${part.length} bytes of another file over ${at}-${end}`;
}

function duplicateBox(bench: Workbench): string {
  const box = someBox(bench);
  const part = boxBytes(bench, box);
  const times = box.sizeBytes < 1024 ? 1 + bench.prng.smallBelow(64) : 1;
  for (let done = 0; done < times; done++) replaceRange(bench, box.offset, box.offset, part);
  return `${box.type} at ${box.offset} ${times} times more`;
}

/** Puts a box many times into itself or another one, all headers telling the truth, as deep as a stack would have to go. */
function nestBox(bench: Workbench): string {
  const outer = someBox(bench);
  const inner = boxBytes(bench, someBox(bench)).slice(0, 4096);
  const depth = 1 + bench.prng.smallBelow(2000);
  const nested = new Uint8Array(depth * 8 + inner.length);
  const view = new DataView(nested.buffer);
  for (let level = 0; level < depth; level++) {
    view.setUint32(level * 8, nested.length - level * 8);
    for (let index = 0; index < 4; index++) nested[level * 8 + 4 + index] = outer.type.charCodeAt(index);
  }
  nested.set(inner, depth * 8);
  replaceRange(bench, outer.offset, outer.offset, nested);
  return `${depth} levels of ${outer.type} at ${outer.offset}`;
}

function removeBox(bench: Workbench): string {
  const box = someBox(bench);
  const end = Math.min(bench.bytes.length, box.offset + box.sizeBytes);
  if (box.offset < end) replaceRange(bench, box.offset, end, new Uint8Array(0));
  return `remove ${box.type} at ${box.offset}`;
}

function swapBoxes(bench: Workbench): string {
  const a = someBox(bench);
  const b = someBox(bench);
  const [first, second] = a.offset <= b.offset ? [a, b] : [b, a];
  if (first.offset + first.sizeBytes > second.offset) return "swap nothing";
  const firstBytes = boxBytes(bench, first);
  const secondBytes = boxBytes(bench, second);
  replaceRange(bench, second.offset, Math.min(bench.bytes.length, second.offset + second.sizeBytes), firstBytes);
  replaceRange(bench, first.offset, first.offset + first.sizeBytes, secondBytes);
  return `swap ${first.type} at ${first.offset} and ${second.type} at ${second.offset}`;
}

/** Moves everything from a place on by a few bytes, so that all offsets behind it are wrong. */
function shiftTail(bench: Workbench): string {
  const at = place(bench);
  const insert = new Uint8Array(1 + bench.prng.smallBelow(64)).fill(bench.prng.pick([0, 0xff, 0x47]));
  replaceRange(bench, at, at, insert);
  return `insert ${insert.length} bytes at ${at}`;
}
