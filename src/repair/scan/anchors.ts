/** A place where a packet stands so surely that it shows in a search over every byte. */
export interface Anchor {
  readonly offset: number;
  /** Evidence for it in bits. */
  readonly evidenceBits: number;
}

/** Anchors remembered before the oldest half is forgotten. */
const MAX_REMEMBERED = 4096;
/** A question from so little before the known bytes adds to them; one from farther back starts over. */
const MAX_STEP_BACK_BYTES = 64 * 1024;

/** The anchors of one stretch of bytes, found as they are asked for, so that no byte is looked at twice on the way on. */
export class Anchors {
  readonly #evidenceAt: (offset: number) => number;
  readonly #limit: number;
  #found: Anchor[] = [];
  /** All anchors in `[#from, #to)` are known. */
  #from = 0;
  #to = 0;

  /** `evidenceAt` tells the evidence for an anchor at an offset, 0 where there is none; `limit` is where the bytes end. */
  constructor(evidenceAt: (offset: number) => number, limit: number) {
    this.#evidenceAt = evidenceAt;
    this.#limit = limit;
  }

  /** The first anchor in `[offset, reach]`. Looks at no byte past `reach`. */
  next(offset: number, reach: number): Anchor | undefined {
    const known = this.#known(offset);
    if (known !== undefined) return known.offset <= reach ? known : undefined;
    const end = Math.min(this.#limit - 1, reach);
    for (let at = this.#to; at <= end; at++) {
      const evidenceBits = this.#evidenceAt(at);
      if (evidenceBits <= 0) continue;
      this.#to = at + 1;
      const anchor = { offset: at, evidenceBits };
      this.#remember(anchor);
      return anchor;
    }
    this.#to = Math.max(this.#to, end + 1);
    return undefined;
  }

  /** The first anchor from `offset` on among those known; starts over where the bytes from there on are not. */
  #known(offset: number): Anchor | undefined {
    if (offset < this.#from && this.#from - offset <= MAX_STEP_BACK_BYTES) this.#stepBack(offset);
    if (offset < this.#from || offset > this.#to) {
      this.#found = [];
      this.#from = offset;
      this.#to = offset;
      return undefined;
    }
    let [low, high] = [0, this.#found.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#found[middle] as Anchor).offset < offset) low = middle + 1;
      else high = middle;
    }
    return this.#found[low];
  }

  /** Looks at the bytes just before those known, so that these need not be looked at again. */
  #stepBack(offset: number): void {
    const before: Anchor[] = [];
    for (let at = offset; at < this.#from; at++) {
      const evidenceBits = this.#evidenceAt(at);
      if (evidenceBits > 0) before.push({ offset: at, evidenceBits });
    }
    this.#found.unshift(...before);
    this.#from = offset;
  }

  #remember(anchor: Anchor): void {
    this.#found.push(anchor);
    if (this.#found.length <= MAX_REMEMBERED) return;
    this.#found = this.#found.slice(MAX_REMEMBERED / 2);
    this.#from = (this.#found[0] as Anchor).offset;
  }
}
