/**
 * Reads a `Retry-After` header (RFC 9110 §10.2.3), seconds or a date, as milliseconds from now, ≥ 0. Null where it is missing or
 * neither.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  // Date.parse takes much that is no HTTP date, such as a bare number of another length.
  const atMs = /^[A-Z][a-z]+,? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
