type Column = Float64Array | Uint32Array | Int32Array | Uint16Array;

const LEAST_LENGTH = 64;
/** Unused room of this share is not worth a copy. */
const SPARE_SHARE = 0.125;

/** The array, or a longer copy, so that `length` elements fit. */
export function grown<T extends Column>(array: T, length: number): T {
  if (length <= array.length) return array;
  const larger = allocate(array, Math.max(length, LEAST_LENGTH, Math.ceil(array.length * 1.5)));
  larger.set(array);
  return larger;
}

/** The first `length` elements, in an array that holds little more. */
export function exactly<T extends Column>(array: T, length: number): T {
  const view = array.subarray(0, length) as T;
  return array.length - length <= array.length * SPARE_SHARE ? view : (view.slice() as T);
}

function allocate<T extends Column>(like: T, length: number): T {
  return new (like.constructor as new (length: number) => T)(length);
}
