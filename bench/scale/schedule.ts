interface Entry<Event> {
  readonly atSeconds: number;
  /** Of two at the same time, that which was added first comes first. */
  readonly order: number;
  readonly event: Event;
}

/** Events by their time; those of one time in the order in which they were added. */
export class Schedule<Event> {
  readonly #heap: Entry<Event>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** When the next event is; undefined where there is none. */
  get firstSeconds(): number | undefined {
    return this.#heap[0]?.atSeconds;
  }

  add(atSeconds: number, event: Event): void {
    this.#heap.push({ atSeconds, order: this.#order++, event });
    let child = this.#heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** The next event; undefined where there is none. */
  take(): { readonly atSeconds: number; readonly event: Event } | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #sink(): void {
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      const least = left + 1 < this.#heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (least >= this.#heap.length || !this.#isBefore(least, parent)) return;
      this.#swap(least, parent);
      parent = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return false;
    return a.atSeconds < b.atSeconds || (a.atSeconds === b.atSeconds && a.order < b.order);
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}
