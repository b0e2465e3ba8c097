import { ReelmillError } from "../../base/errors.ts";

/** The Opus specific box (Encapsulation of Opus in ISOBMFF §4.3.2). */
export interface OpusConfiguration {
  readonly channelCount: number;
  /** Samples at 48 kHz to drop at the start. */
  readonly preSkipSamples: number;
  /** Elementary streams in each packet: 1 for mapping family 0. */
  readonly streamCount: number;
  readonly coupledCount: number;
}

/** Parses the payload of a `dOps` box. Throws MEDIA_MALFORMED where it is cut short or of another version. */
export function parseOpusConfiguration(payload: Uint8Array): OpusConfiguration {
  const [version, channelCount, skipHigh, skipLow] = payload;
  const family = payload[10];
  if (version !== 0 || channelCount === undefined || family === undefined || channelCount === 0) {
    throw new ReelmillError("MEDIA_MALFORMED", `dOps: ${payload.length} bytes that are not a version 0 record.`);
  }
  const preSkipSamples = ((skipHigh ?? 0) << 8) | (skipLow ?? 0);
  if (family === 0) return { channelCount, preSkipSamples, streamCount: 1, coupledCount: channelCount - 1 };
  const streamCount = payload[11];
  const coupledCount = payload[12];
  if (streamCount === undefined || coupledCount === undefined || streamCount === 0) {
    throw new ReelmillError("MEDIA_MALFORMED", `dOps: mapping family ${family} without a channel mapping table.`);
  }
  return { channelCount, preSkipSamples, streamCount, coupledCount };
}
