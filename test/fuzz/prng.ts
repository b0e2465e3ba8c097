/** Numbers that look random and are the same for the same seed (xorshift32 over a hashed seed). */
export class Prng {
  #state: number;

  /** Any integers; every one of them matters. */
  constructor(...seeds: readonly number[]) {
    let state = 0x9e3779b9;
    for (const seed of seeds) {
      state = Math.imul(state ^ (seed | 0), 0x85ebca6b);
      state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
      state ^= state >>> 16;
    }
    this.#state = state === 0 ? 1 : state;
  }

  /** 0 to 2^32 − 1. */
  u32(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }

  /** 0 to `limit` − 1; 0 where the limit is below 1. */
  below(limit: number): number {
    return limit < 1 ? 0 : this.u32() % Math.floor(limit);
  }

  /** 0 to `limit` − 1, small values more often than large ones. */
  smallBelow(limit: number): number {
    return this.below(1 + this.below(limit));
  }

  /** One of the items. The list is not empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
