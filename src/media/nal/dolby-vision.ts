/** nuh_layer_id and temporal id of every Dolby Vision NAL unit, in AVC streams too. */
const SECOND_HEADER_BYTE = 1;
/** rpu_nal_prefix: the first byte of the metadata (ETSI TS 103 572 §5.3.2). */
const METADATA_PREFIX = 25;

/**
 * Whether the NAL unit at `bytes[nalIndex]` reads on as Dolby Vision metadata or, with `isLayer`, as enhancement layer
 * (which holds an HEVC NAL unit). 0 where not, else −log2 of the chance that random bytes after the type do.
 */
export function weighDolbyVision(bytes: Uint8Array, nalIndex: number, visibleEnd: number, isLayer: boolean): number {
  if (nalIndex + 4 > visibleEnd || bytes[nalIndex + 1] !== SECOND_HEADER_BYTE) return 0;
  if (!isLayer) return bytes[nalIndex + 2] === METADATA_PREFIX ? 16 : 0;
  const isForbidden = ((bytes[nalIndex + 2] as number) & 0x80) !== 0;
  return isForbidden || ((bytes[nalIndex + 3] as number) & 7) === 0 ? 0 : 9;
}
