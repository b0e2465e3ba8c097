/** Chance would hardly let runs in a row begin where others say that they do, so unlikely as it is. */
const SURE_BITS = 12;

/**
 * Where runs begin that a recorder aligns: at multiples of `bytes`, a power of two, from an origin on. Bytes that are lost
 * or put in move all behind them, which the runs that follow tell.
 */
export class Grid {
  readonly bytes: number;
  #origin: number;
  /** What speaks for the next run to begin on the grid. */
  #agreeingBits = SURE_BITS;
  /** How far behind the grid the latest ones began instead, and how many of them in a row. */
  #stray = { shiftBytes: 0, count: 0 };

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

  /**
   * A run began at `offset`; behind lost bytes, the rest of one may have (`isRest`), which speaks for what others say, not against it. Returns
   * whether runs have moved: so many began equally far beside the grid that its places are those like `offset`.
   */
  note(offset: number, isRest = false): boolean {
    const bits = Math.log2(this.bytes);
    const isOn = this.next(offset) === offset;
    if (isOn) {
      this.#agreeingBits += bits;
      if (!isRest) this.#stray = { shiftBytes: 0, count: 0 };
      return false;
    }
    const shiftBytes = offset - (this.next(offset) - this.bytes);
    const { count } = this.#stray;
    if (shiftBytes === this.#stray.shiftBytes) this.#stray = { shiftBytes, count: count + 1 };
    else if (!isRest || count === 0) this.#stray = { shiftBytes, count: 1 };
    if (!isRest) this.#agreeingBits = 0;
    // The first of them says where the others should begin.
    return (this.#stray.count - 1) * bits >= SURE_BITS;
  }

  /** Runs begin at places like `offset`. */
  moveTo(offset: number): void {
    this.#origin = offset;
    this.#stray = { shiftBytes: 0, count: 0 };
    this.doubt();
  }

  /** Bytes were lost: what stands behind them may have moved. Runs that began beside the grid before them go on to count. */
  doubt(): void {
    this.#agreeingBits = 0;
  }
}
