import { type Damage, hasHole } from "./damage.ts";
import type { TrackScore } from "./score.ts";

/** What a repair has to reach, by where the recording comes from. Percentages are of what is recoverable. */
export interface Targets {
  /** Without a hole: recovered packets of each kind, in percent at least. */
  readonly cutPercent: Readonly<Record<TrackScore["kind"], number>>;
  /** With a hole: packets of each track that may be missing per hole (its two neighbours), or undefined. */
  readonly missingPerHole?: number;
  /** With a hole: recovered packets of each kind, in percent at least, or undefined. */
  readonly holePercent?: number;
  /** Without a hole: decoded pictures, in percent at least. */
  readonly decodedPercent: number;
  /** Constant rate, without a hole: the largest error of a presentation time in milliseconds. */
  readonly constantRateErrorMs: number | "one frame";
}

/**
 * The generated pairs' sound comes from a source whose clock ticks once a millisecond: packets of the originals stand up
 * to half a tick off the steady times that a repair gives them. Pictures are exact.
 */
const EXACT_MS = 0.5;

/** Targets of the generated pairs. */
export const GENERATED_TARGETS: Targets = {
  cutPercent: { video: 100, audio: 100, other: 99 },
  missingPerHole: 2,
  decodedPercent: 99.5,
  constantRateErrorMs: EXACT_MS,
};

/** Targets of real recordings from a folder. */
export const SAMPLE_TARGETS: Targets = {
  cutPercent: { video: 99.5, audio: 99.5, other: 99 },
  holePercent: 98,
  decodedPercent: 99.5,
  constantRateErrorMs: "one frame",
};

/** Memory above Node's floor: 64 MiB and 64 B for each sample of the recording. */
export const PEAK_BASE_BYTES = 64 * 1024 * 1024;
/** See `PEAK_BASE_BYTES`. */
export const PEAK_BYTES_PER_SAMPLE = 64;

/** Wall-time ratios of the large recordings, page cache warm; "above Node" leaves Node's own start-up out. */
export const LARGE_TARGETS = {
  inPlaceAboveNodeToScan: 6,
  copyToCp: 1.5,
  holeToWhole: 1.3,
} as const;

/** What the targets are held against. */
export interface Outcome {
  readonly damage: Damage;
  readonly exitCode: number;
  readonly tracks: readonly TrackScore[];
  /** Recovered and recoverable decoded pictures. */
  readonly decoded?: { readonly recovered: number; readonly recoverable: number };
  readonly timeErrorMs?: number;
  readonly driftMs?: number;
  readonly frameMs?: number;
  readonly isConstantRate: boolean;
  readonly peakAboveFloorBytes: number;
  readonly sampleCount: number;
}

/** Names each target that an outcome misses, with the figure reached. */
export function missedTargets(outcome: Outcome, targets: Targets): string[] {
  const missed: string[] = [];
  if (outcome.exitCode !== 0) missed.push(`exit ${outcome.exitCode}`);
  const frameMs = outcome.frameMs ?? 40;
  if (hasHole(outcome.damage)) missed.push(...missedOverHole(outcome, targets));
  else {
    missed.push(...missedWithoutHole(outcome, targets));
    const isExact = outcome.isConstantRate && targets.constantRateErrorMs !== "one frame";
    const allowedMs = isExact ? Number(targets.constantRateErrorMs) : frameMs + EXACT_MS;
    if ((outcome.timeErrorMs ?? 0) > allowedMs) missed.push(`time ${outcome.timeErrorMs?.toFixed(1)} ms`);
  }
  if ((outcome.driftMs ?? 0) >= frameMs) missed.push(`drift ${outcome.driftMs?.toFixed(1)} ms`);
  const allowedBytes = PEAK_BASE_BYTES + PEAK_BYTES_PER_SAMPLE * outcome.sampleCount;
  if (outcome.peakAboveFloorBytes > allowedBytes) {
    missed.push(`peak ${(outcome.peakAboveFloorBytes / 1e6).toFixed(0)} MB`);
  }
  return missed;
}

/** Recovered of recoverable packets over the tracks of one kind. */
export function countKind(tracks: readonly TrackScore[], kind: TrackScore["kind"]) {
  const ofKind = tracks.filter((track) => track.kind === kind);
  return {
    recovered: ofKind.reduce((sum, track) => sum + track.recovered, 0),
    recoverable: ofKind.reduce((sum, track) => sum + track.recoverable, 0),
  };
}

function missedWithoutHole(outcome: Outcome, targets: Targets): string[] {
  const missed: string[] = [];
  for (const kind of ["video", "audio", "other"] as const) {
    const { recovered, recoverable } = countKind(outcome.tracks, kind);
    if (recovered * 100 < targets.cutPercent[kind] * recoverable) missed.push(`${kind} ${recovered}/${recoverable}`);
  }
  const decoded = outcome.decoded;
  if (decoded !== undefined && decoded.recovered * 100 < targets.decodedPercent * decoded.recoverable) {
    missed.push(`decoded ${decoded.recovered}/${decoded.recoverable}`);
  }
  return missed;
}

function missedOverHole(outcome: Outcome, targets: Targets): string[] {
  const missed: string[] = [];
  const holes = outcome.damage === "TWOHOLES" ? 2 : 1;
  const allowed = targets.missingPerHole === undefined ? undefined : targets.missingPerHole * holes;
  outcome.tracks.forEach((track, index) => {
    const missing = track.recoverable - track.recovered;
    if (allowed !== undefined && missing > allowed) missed.push(`track ${index} (${track.kind}) lacks ${missing}`);
  });
  if (targets.holePercent === undefined) return missed;
  for (const kind of ["video", "audio"] as const) {
    const { recovered, recoverable } = countKind(outcome.tracks, kind);
    if (recovered * 100 < targets.holePercent * recoverable) missed.push(`${kind} ${recovered}/${recoverable}`);
  }
  return missed;
}
