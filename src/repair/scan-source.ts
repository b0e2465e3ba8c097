import type { ByteSource } from "../media/bytes/byte-source.ts";
import { ByteWindow } from "../media/bytes/byte-window.ts";
import type { Extent } from "./extents.ts";
import type { RecordingProfile } from "./learn/profile.ts";
import { createScanModel, type ScanModel } from "./scan/model.ts";
import { Scanner, type ScanProgress, type ScanResult } from "./scan/scanner.ts";

/** A scan and the model it was made with. */
export interface Scan extends ScanResult {
  readonly model: ScanModel;
  readonly profile: RecordingProfile;
  /** Length of the extents scanned. */
  readonly scannedBytes: number;
}

/** Scans `extents` (rising) for packets of the profile's tracks. */
export async function scanExtents(
  damaged: ByteSource,
  extents: readonly Extent[],
  profile: RecordingProfile,
  onProgress?: ScanProgress,
): Promise<Scan> {
  const model = createScanModel(profile);
  const scanner = new Scanner(new ByteWindow(damaged), model);
  for (const { startOffset, endOffset } of extents) await scanner.scan(startOffset, endOffset, onProgress);
  const scannedBytes = extents.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0);
  return { ...scanner.result, model, profile, scannedBytes };
}

/**
 * The profile for what a scan found. Packets of one size each are counted in frames as PCM's are, unless they tell their
 * own size (each is one sample then, although the reference's table looks the same), or one holds no whole number of
 * frames.
 */
export function profileOfPackets(profile: RecordingProfile, { log, model }: Scan): RecordingProfile {
  const isCounted = model.parsers.map((parser) => !parser.isSelfDelimiting);
  const frameBytesOf = (track: number): number => profile.tracks[track]?.track.samples.constantSizeBytes ?? 0;
  const frameBytes = model.families.map(({ tracks }) => tracks.map(frameBytesOf).filter((bytes) => bytes > 0));
  for (let index = 0; index < log.count; index++) {
    const family = log.family(index);
    if (frameBytes[family]?.some((bytes) => log.size(index) % bytes !== 0)) isCounted[family] = false;
  }
  const single = new Set(model.families.flatMap(({ tracks }, family) => (isCounted[family] ? [] : tracks)));
  const tracks = profile.tracks.map((own, index) => {
    if (own.track.samples.constantSizeBytes === 0 || !single.has(index)) return own;
    const samples = { ...own.track.samples, constantSizeBytes: 0 };
    return { ...own, track: { ...own.track, samples } };
  });
  return { ...profile, tracks };
}

/** Bytes of the packets found. */
export function recoveredBytes({ log }: Scan): number {
  let bytes = 0;
  for (let index = 0; index < log.count; index++) bytes += log.size(index);
  return bytes;
}

/** A cut packet may be this many times the largest that the profile knows. */
const LARGER_THAN_KNOWN = 4;

/** Bytes scanned that may have held packets: zeros, padding and the packet that the end cuts are none. */
export function possibleBytes({ findings, paddingBytes, scannedBytes, profile }: Scan): number {
  // A foreign codec's bytes may read as the start of a packet that has no end.
  const mostCut = LARGER_THAN_KNOWN * Math.max(0, ...profile.tracks.map((track) => track.maxSizeBytes));
  let idle = paddingBytes;
  for (const { kind, startOffset, endOffset } of findings) {
    if (kind === "zeros" || kind === "padding") idle += endOffset - startOffset;
    if (kind === "cut-packet") idle += Math.min(mostCut, endOffset - startOffset);
  }
  return scannedBytes - idle;
}
