/** 128 random bits in hexadecimal; unlike randomUUID, also on plain HTTP in a home network. */
export function createRandomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
