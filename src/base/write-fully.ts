import { writeSync } from "node:fs";

/** Writes all of the bytes, at an offset or, with null, where the last write ended. Throws the system's errors. */
export function writeFully(descriptor: number, bytes: Uint8Array, offsetBytes: number | null = null): void {
  for (let done = 0; done < bytes.length; ) {
    const at = offsetBytes === null ? null : offsetBytes + done;
    done += writeSync(descriptor, bytes, done, bytes.length - done, at);
  }
}
