import type { ByteWindow } from "../../media/bytes/byte-window.ts";
import type { Padding } from "../learn/padding.ts";
import { Grid } from "./grid.ts";

const BOX_HEADER_BYTES = 8;
/** Boxes of no content that recorders write between packets. */
const IDLE_BOXES = [0x66726565, 0x736b6970]; // "free", "skip"
/** Larger boxes are no padding. */
const MAX_BOX_BYTES = 16 * 1024 * 1024;

/** Where a recording may go on behind padding. */
export class Paddings {
  readonly #window: ByteWindow;
  readonly #padding: Padding;
  readonly #limit: number;
  /** Where the runs of some tracks begin. */
  readonly #grids: readonly { readonly tracks: readonly number[]; readonly grid: Grid }[];

  /** `base` is where the media data begin, `limit` where they end. */
  constructor(window: ByteWindow, padding: Padding, base: number, limit: number) {
    this.#window = window;
    this.#padding = padding;
    this.#limit = limit;
    this.#grids = padding.alignments.map(({ bytes, isRelative, tracks }) => {
      return { tracks, grid: new Grid(bytes, isRelative ? base : 0) };
    });
  }

  /** Whether padding may begin at `offset`: packets end at many places where none does. */
  mayBegin(offset: number): boolean {
    return this.#grids.length + this.#padding.usualBytes.length > 0 || this.#isBox(offset);
  }

  /** Where padding that begins at `offset` may end, nearest first; up to the limit. */
  endsFrom(offset: number): number[] {
    const ends = new Set<number>();
    const box = this.#boxEnd(offset);
    if (box !== undefined) ends.add(box);
    const from = box ?? offset;
    for (const { grid } of this.#grids) ends.add(grid.next(from));
    for (const bytes of this.#padding.usualBytes) ends.add(offset + bytes);
    return [...ends]
      .filter((end) => end > offset && end <= this.#limit && (end === box || this.isFill(from, end)))
      .sort((a, b) => a - b);
  }

  /** Whether nothing but one byte again and again stands in `[from, to)`: anything else may be a packet that is damaged. */
  isFill(from: number, to: number): boolean {
    if (to <= from) return true;
    const visible = this.#window.load(from, to - from);
    const at = from - this.#window.baseOffset;
    const bytes = this.#window.bytes.subarray(at, at + Math.min(visible, to - from));
    return bytes.every((byte) => byte === bytes[0]);
  }

  /** Where a run of one of `tracks` that is written next to `offset` begins, as the reference aligns them. */
  runStart(offset: number, tracks: readonly number[]): number {
    const start = Math.min(this.#limit, this.#gridOf(tracks)?.next(offset) ?? offset);
    return this.isFill(offset, start) ? start : offset;
  }

  /** Whether runs of all of `tracks` begin at other places than `offset`. */
  excludes(offset: number, tracks: readonly number[]): boolean {
    return this.#gridOf(tracks)?.excludes(offset) ?? false;
  }

  /** A run of one of `tracks` began at `offset`, or behind lost bytes the rest of one. Where such runs have moved, so have those of finer grids. */
  note(offset: number, tracks: readonly number[], isRest: boolean): void {
    const concerned = this.#grids.filter(({ tracks: aligned }) => tracks.every((track) => aligned.includes(track)));
    const moved = concerned.filter(({ grid }) => grid.note(offset, isRest));
    const bytes = Math.max(0, ...moved.map(({ grid }) => grid.bytes));
    for (const { grid } of this.#grids) if (grid.bytes <= bytes) grid.moveTo(offset);
  }

  /** Bytes were lost: what stands behind them may have moved. */
  doubt(): void {
    for (const { grid } of this.#grids) grid.doubt();
  }

  #gridOf(tracks: readonly number[]): Grid | undefined {
    return this.#grids.find((candidate) => tracks.every((track) => candidate.tracks.includes(track)))?.grid;
  }

  #isBox(offset: number): boolean {
    if (this.#window.load(offset, BOX_HEADER_BYTES) < BOX_HEADER_BYTES) return false;
    return IDLE_BOXES.includes(this.#window.u32(offset + 4));
  }

  #boxEnd(offset: number): number | undefined {
    if (!this.#isBox(offset)) return undefined;
    const sizeBytes = this.#window.u32(offset);
    return sizeBytes >= BOX_HEADER_BYTES && sizeBytes <= MAX_BOX_BYTES ? offset + sizeBytes : undefined;
  }
}
