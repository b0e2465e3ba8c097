/** Records of numbers in order: kept in one list, each put together when it is looked at. As objects, 100,000 of them take ten megabytes. */
export class NumberTable<T extends { readonly [Field in keyof T]: number }> implements Iterable<T> {
  readonly #fields: readonly (keyof T)[];
  readonly #numbers: number[] = [];

  /** `fields` are those of every record, all of them. */
  constructor(fields: readonly (keyof T)[], records: Iterable<T> = []) {
    this.#fields = fields;
    for (const record of records) this.push(record);
  }

  get length(): number {
    return this.#numbers.length / this.#fields.length;
  }

  /** Adds a record. */
  push(record: T): void {
    for (const field of this.#fields) this.#numbers.push(record[field]);
  }

  /** The record at a place, from 0 on; undefined where there is none. */
  at(index: number): T | undefined {
    if (!(index >= 0 && index < this.length)) return undefined;
    const start = index * this.#fields.length;
    return Object.fromEntries(this.#fields.map((field, place) => [field, this.#numbers[start + place]])) as T;
  }

  *values(): Generator<T> {
    for (let index = 0; index < this.length; index++) yield this.at(index) as T;
  }

  [Symbol.iterator](): Generator<T> {
    return this.values();
  }
}
