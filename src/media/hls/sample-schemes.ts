/** Methods of keys that encrypt the samples within segments, and what those of fragmented MP4 are encrypted by (RFC 8216bis §4.4.4.4). */
export const SAMPLE_SCHEMES: ReadonlyMap<string, string> = new Map([
  ["SAMPLE-AES", "cbcs"],
  ["SAMPLE-AES-CTR", "cenc"],
]);
