/** Whether a NAL unit is a slice of an IDR or another picture (ITU-T H.264 table 7-1); data partitions are none. */
export function isAvcSlice([header = 0]: Uint8Array): boolean {
  const type = header & 0x1f;
  return header < 0x80 && (type === 1 || type === 5);
}
