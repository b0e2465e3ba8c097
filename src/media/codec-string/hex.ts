/** A byte as two hexadecimal digits, as avc1 strings have them. */
export function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/** A number as two decimal digits, as av01 and vp09 strings have them. */
export function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
