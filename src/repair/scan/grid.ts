/** Chance would hardly let runs in a row begin where others say that they do, so unlikely as it is. */
const SURE_BITS = 12;

/**
 * Where runs begin that a recorder aligns: at multiples of `bytes`, a power of two, from `origin` on. Bytes that are lost
 * or put in move all behind them, which the runs that follow tell.
 */
export class Grid {
  readonly bytes: number;
  #origin: number;
  /** What speaks for the next run to begin on the grid. */
  #agreeingBits = SURE_BITS;
  /** How far behind the grid the latest ones began instead, and how many of them in a row. */
  #moved = { bytes: 0, count: 0 };

  constructor(bytes: number, origin: number) {
    this.bytes = bytes;
    this.#origin = origin;
  }

  /** The first place on the grid from `offset` on. */
  next(offset: number): number {
    return this.#origin + Math.ceil((offset - this.#origin) / this.bytes) * this.bytes;
  }

  /** Whether runs are sure to begin on the grid, but not at `offset`. */
  excludes(offset: number): boolean {
    return this.#agreeingBits >= SURE_BITS && this.next(offset) !== offset;
  }

  /** A run began at `offset`. Returns by how many bytes those of late have moved, once they are sure to have. */
  note(offset: number): number {
    const bytes = offset + this.bytes - this.next(offset + 1);
    if (bytes === 0) {
      this.#agreeingBits += Math.log2(this.bytes);
      this.#moved = { bytes, count: 0 };
      return 0;
    }
    this.#agreeingBits = 0;
    this.#moved = { bytes, count: bytes === this.#moved.bytes ? this.#moved.count + 1 : 1 };
    // The first of them says where the others should begin.
    return (this.#moved.count - 1) * Math.log2(this.bytes) < SURE_BITS ? 0 : bytes;
  }

  /** All behind lost bytes has moved by so many, as a grid of `gridBytes` shows. */
  move(bytes: number, gridBytes: number): void {
    if (gridBytes < this.bytes) return;
    this.#origin += bytes;
    this.#moved = { bytes: 0, count: 0 };
    this.doubt();
  }

  /** Bytes were lost: what stands behind them may have moved. */
  doubt(): void {
    this.#agreeingBits = 0;
  }
}
