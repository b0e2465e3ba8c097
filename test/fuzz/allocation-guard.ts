/** What the guard saw since it was last asked. */
export interface AllocationWatch {
  /** The largest single allocation beyond the limit in bytes, or 0; the count starts anew. */
  takeExcessBytes(): number;
}

/** Only what an input asks for by a count or length of its own gets this large: inputs are at most 1 MiB. */
const MAX_SINGLE_BYTES = 80 * 1024 * 1024;

const ARRAY_NAMES = [
  ...(["Uint8Array", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array"] as const),
  ...(["Float32Array", "Float64Array", "BigUint64Array", "BigInt64Array"] as const),
] as const;

/**
 * Makes every typed array of this thread that is asked for by length and takes more than 80 MiB fail with a
 * RangeError, and remembers it even where the code under test catches that. Typed arrays live outside the heap, so a
 * worker's own memory limit does not see them.
 */
export function installAllocationGuard(): AllocationWatch {
  let excessBytes = 0;
  for (const name of ARRAY_NAMES) {
    const original = globalThis[name] as typeof Uint8Array;
    const guarded = new Proxy(original, {
      construct(target, args: readonly unknown[], newTarget) {
        const bytes = typeof args[0] === "number" ? args[0] * target.BYTES_PER_ELEMENT : 0;
        if (bytes > MAX_SINGLE_BYTES) {
          excessBytes = Math.max(excessBytes, bytes);
          throw new RangeError(`An array of ${bytes} bytes was asked for.`);
        }
        return Reflect.construct(target, args, newTarget) as object;
      },
    });
    Object.defineProperty(globalThis, name, { value: guarded, configurable: true, writable: true });
  }
  return {
    takeExcessBytes() {
      const seen = excessBytes;
      excessBytes = 0;
      return seen;
    },
  };
}
