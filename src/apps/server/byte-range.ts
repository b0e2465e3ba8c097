import type { ByteRange } from "../../jobs/object-store.ts";

/** What a Range header asks for: a part, more than there is, or nothing that has to be heeded. */
export type RangeRequest =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly range: ByteRange }
  | { readonly kind: "unsatisfiable" };

const WHOLE: RangeRequest = { kind: "whole" };

/** Reads a Range header (RFC 9110 §14.2) for an object of `bytes`. Several ranges at once, and what is malformed, count as none. */
export function parseRange(header: string | undefined, bytes: number): RangeRequest {
  const match = /^bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return WHOLE;
  if (first === "") {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? { kind: "unsatisfiable" } : part(bytes - length, bytes);
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return WHOLE;
  if (start >= bytes) return { kind: "unsatisfiable" };
  return part(start, last === "" ? bytes : Math.min(Number(last) + 1, bytes));
}

function part(start: number, end: number): RangeRequest {
  return { kind: "part", range: { start, end } };
}
