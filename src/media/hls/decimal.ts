import { ReelmillError } from "../../base/errors.ts";
import { valueError } from "./playlist-error.ts";

/** Larger decimal numbers would be written with an exponent, which playlists do not know. */
const MAX_DECIMAL = 1e15;
/** As many digits as `toFixed` gives. */
const MAX_FRACTION_DIGITS = 100;

/**
 * Reads a decimal-integer (RFC 8216bis §4.2): digits alone. Throws MEDIA_MALFORMED where it is none, below `min`, or above
 * 2^53 − 1, which is less than the 2^64 − 1 that the specification has.
 */
export function parseDecimalInteger(text: string, lineNumber: number, what: string, min = 0): number {
  const value = /^\d{1,20}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min) {
    throw valueError(lineNumber, what, text, `a whole number from ${min} to ${Number.MAX_SAFE_INTEGER}`);
  }
  return value;
}

/** Reads a decimal-floating-point (§4.2): digits and at most one point. Throws MEDIA_MALFORMED for others and above 10^15. */
export function parseDecimal(text: string, lineNumber: number, what: string): number {
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= MAX_DECIMAL)) throw valueError(lineNumber, what, text, `a decimal number from 0 to ${MAX_DECIMAL}`);
  return value;
}

/** Reads a signed-decimal-floating-point (§4.2). Throws MEDIA_MALFORMED as `parseDecimal` does. */
export function parseSignedDecimal(text: string, lineNumber: number, what: string): number {
  const isNegative = text.startsWith("-");
  const value = parseDecimal(isNegative ? text.slice(1) : text, lineNumber, what);
  return isNegative && value !== 0 ? -value : value;
}

/** Writes a whole number from 0 on. Throws MEDIA_MALFORMED for any other. */
export function formatDecimalInteger(value: number, what: string): string {
  if (Number.isSafeInteger(value) && value >= 0) return String(value);
  throw new ReelmillError("MEDIA_MALFORMED", `${what} is ${value}; a whole number from 0 on is allowed.`);
}

/**
 * Writes a number with as many digits as it takes to read the same one again (down to 10^-80, which nothing lasts), never
 * with an exponent. Throws MEDIA_MALFORMED where it is not finite or beyond ±10^15.
 */
export function formatDecimal(value: number, what: string): string {
  if (!(Math.abs(value) <= MAX_DECIMAL)) {
    throw new ReelmillError("MEDIA_MALFORMED", `${what} is ${value}; a number within ±${MAX_DECIMAL} is allowed.`);
  }
  const text = String(value);
  const [mantissa = "", exponent] = text.split("e-");
  if (exponent === undefined) return text;
  const digits = (mantissa.split(".")[1] ?? "").length + Number(exponent);
  return value.toFixed(Math.min(MAX_FRACTION_DIGITS, digits));
}
