/** How much may be spent. */
export interface BudgetTerms {
  /** Without any progress. */
  readonly atOnce: number;
  readonly perByte: number;
}

/** Bounds the work of a search by how far it has come through the bytes and what it found. */
export class ProgressBudget {
  readonly #terms: BudgetTerms;
  #first = Number.POSITIVE_INFINITY;
  #farthest = 0;
  #earned = 0;
  #spent = 0;

  constructor(terms: BudgetTerms) {
    this.#terms = terms;
  }

  /** The search has come to an offset. */
  reach(offset: number): void {
    this.#first = Math.min(this.#first, offset);
    this.#farthest = Math.max(this.#farthest, offset);
  }

  /** Adds to what may be spent. */
  earn(amount: number): void {
    this.#earned += amount;
  }

  /** Takes from what is left; false, and nothing taken, where it is not enough. */
  spend(amount: number): boolean {
    const { atOnce, perByte } = this.#terms;
    const allowed = atOnce + this.#earned + perByte * Math.max(0, this.#farthest - this.#first);
    if (this.#spent + amount > allowed) return false;
    this.#spent += amount;
    return true;
  }
}
