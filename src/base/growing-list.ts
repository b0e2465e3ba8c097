/** A list of numbers that grows in place: one that is copied when it is full takes three times its memory. */
export interface GrowingList<T extends Float64Array | Uint32Array> {
  readonly length: number;
  /** Throws RangeError behind the last that it may hold. */
  readonly push: (value: number) => void;
  /** All of them, in the list's own memory. */
  readonly finish: () => T;
}

/** So many are made room for at a time. */
const STEP = 2 ** 16;

/** An empty list of the kind of array named, which may come to hold `maxLength`; memory is taken only for what it holds. */
export function createGrowingList<T extends Float64Array | Uint32Array>(
  kind: {
    readonly BYTES_PER_ELEMENT: number;
    new (buffer: ArrayBuffer, offsetBytes?: number, length?: number): T;
  },
  maxLength: number,
): GrowingList<T> {
  const { BYTES_PER_ELEMENT } = kind;
  const buffer = new ArrayBuffer(0, { maxByteLength: BYTES_PER_ELEMENT * maxLength });
  const all = new kind(buffer);
  let count = 0;
  return {
    get length() {
      return count;
    },
    push: (value) => {
      if (count === all.length) buffer.resize(BYTES_PER_ELEMENT * Math.min(maxLength, count + STEP));
      if (count === all.length) throw new RangeError(`The list holds ${maxLength} numbers at most.`);
      all[count++] = value;
    },
    finish: () => new kind(buffer, 0, count),
  };
}
