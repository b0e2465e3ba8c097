import type { OpusStreamState } from "./evaluate.ts";
import type { OpusHead, OpusModel, OpusWeight } from "./model.ts";

/** Weighed candidates remembered; hostile bytes would have any number of them. */
const MAX_REMEMBERED = 4096;
/** More than any packet's size. */
const SIZE_STRIDE = 8192;

/** Bounds how much is read in a search. */
export interface ReadingBudget {
  /** Takes `reads` from what is left; false, and nothing taken, where it is not enough. */
  spend(reads: number): boolean;
}

/** A beginning may be told from so many bytes as well as from all. */
const HEAD_BYTES = 256;
/** What reading a packet's beginning costs, against reading all of it. */
const HEAD_COST = 1 / 4;

const NO_BOUND: ReadingBudget = { spend: () => true };

/**
 * Weighs candidate packets of one track. A search asks about the same bytes from many sides, and reading a packet is
 * what takes the time, so that what was read is remembered until the model has learnt more.
 */
export class OpusCandidates {
  readonly model: OpusModel;
  readonly #budget: ReadingBudget;
  readonly #weights = new Map<number, OpusWeight | undefined>();
  readonly #heads = new Map<number, OpusHead | undefined>();
  #packetCount = 0;
  #isSpent = false;

  constructor(model: OpusModel, budget: ReadingBudget = NO_BOUND) {
    this.model = model;
    this.#budget = budget;
  }

  /** Whether some candidate was not read since the last call, for want of budget: what was found cannot be relied on. */
  takeSpent(): boolean {
    const isSpent = this.#isSpent;
    this.#isSpent = false;
    return isSpent;
  }

  /** Counts work other than reading. False where the budget is used up. */
  spend(reads: number): boolean {
    if (this.#budget.spend(reads)) return true;
    this.#isSpent = true;
    return false;
  }

  /** `OpusModel.weigh`, where `bytes[0]` lies at `baseOffset` of the recording; undefined also without budget. */
  weigh(bytes: Uint8Array, baseOffset: number, startIndex: number, endIndex: number): OpusWeight | undefined {
    this.#forget();
    const key = (baseOffset + startIndex) * SIZE_STRIDE + endIndex - startIndex;
    const known = this.#weights.get(key);
    if (known !== undefined || this.#weights.has(key)) return known;
    if (!this.spend(1)) return undefined;
    const weight = this.model.weigh(bytes, startIndex, endIndex);
    this.#weights.set(key, weight);
    return weight;
  }

  /**
   * log2 of how much likelier than any bytes a packet begins at `startIndex` behind others; infinite where nothing can
   * be told before its end is known, and −Infinity without budget.
   */
  startBits(
    bytes: Uint8Array,
    baseOffset: number,
    startIndex: number,
    endIndex: number,
    states: readonly OpusStreamState[],
  ): number {
    this.#forget();
    const end = Math.min(endIndex, startIndex + HEAD_BYTES);
    const key = (baseOffset + startIndex) * SIZE_STRIDE + end - startIndex;
    let head = this.#heads.get(key);
    if (head === undefined && !this.#heads.has(key)) {
      if (!this.spend(HEAD_COST)) return Number.NEGATIVE_INFINITY;
      head = this.model.head(bytes, startIndex, end);
      this.#heads.set(key, head);
    }
    return head ? this.model.headBits(head, states) : Number.POSITIVE_INFINITY;
  }

  #forget(): void {
    if (this.#packetCount === this.model.packetCount && this.#weights.size + this.#heads.size < MAX_REMEMBERED) return;
    this.#weights.clear();
    this.#heads.clear();
    this.#packetCount = this.model.packetCount;
  }
}
