import { ReelmillError } from "../../../base/errors.ts";
import { type ByteSource, readExactly } from "../../bytes/byte-source.ts";
import { endSourceAt } from "../../bytes/part-source.ts";
import { openBox } from "../../isobmff/box-reader.ts";
import { scanTopLevelBoxes, type TopLevelBox } from "../../isobmff/top-level.ts";
import { type FragmentRun, parseTraf, runBytes, type TrackFragment } from "../../isobmff/traf.ts";
import type { RecentFrames } from "./busiest-second.ts";
import { idrFault, isSliceType, nalTypeOf } from "./first-slice.ts";
import { type SegmentContent, SpanBuilder } from "./measure.ts";
import type { InitializedTrack } from "./read-initialization.ts";

/** Largest `moof` that is read: 200,000 samples. */
const MAX_MOOF_BYTES = 4 * 1024 * 1024;
/** More samples than this in one segment are hostile. */
const MAX_SAMPLES = 500_000;
/** So many NAL units at most stand before a picture's first slice. */
const MAX_HEAD_NALS = 64;
const NON_SYNC_FLAG = 0x1_0000;
/** Decode times of fragments that follow each other may differ by rounding alone. */
const MAX_DECODE_GAP_SECONDS = 0.001;

interface State {
  readonly track: InitializedTrack;
  readonly span: SpanBuilder;
  nextTicks: number | undefined;
  /** Where the samples that were read lie, for I-frame playlists. */
  firstSampleEndBytes: number;
}

/** What is measured, and what is found. */
interface Measuring {
  readonly source: ByteSource;
  /** The source up to the segment's end. */
  readonly part: ByteSource;
  /** The segment has all samples of its fragments; an I-frame segment has the first alone. */
  readonly isComplete: boolean;
  readonly states: ReadonlyMap<number, State>;
  readonly faults: string[];
}

/**
 * Measures the fragments in `[startBytes, endBytes)` of a file (RFC 8216bis §3.1.1), with the tracks of their Media
 * Initialization Section; `recentFrames` is changed. Reads boxes and the heads of first samples, never the samples themselves. Throws MEDIA_MALFORMED
 * where no fragment is found or one is broken or reaches past the end.
 */
export function measureFragments(
  source: ByteSource,
  startBytes: number,
  endBytes: number,
  tracks: readonly InitializedTrack[],
  recentFrames: RecentFrames,
  isIFrame: boolean,
): SegmentContent {
  const part = endSourceAt(source, endBytes);
  const boxes = scanTopLevelBoxes(part, startBytes);
  const states = new Map(tracks.map((track) => [track.trackId, createState(track, recentFrames)]));
  const faults: string[] = [];
  const moofs = boxes.filter(({ type }) => type === "moof");
  if (moofs.length === 0) throw new ReelmillError("MEDIA_MALFORMED", "The segment holds no moof box.");
  const measuring = { source, part, isComplete: !isIFrame, states, faults };
  for (const moof of moofs) measureMoof(measuring, moof);
  const clipped = isIFrame
    ? undefined
    : boxes.find(({ sizeBytes, declaredSizeBytes }) => sizeBytes < declaredSizeBytes);
  if (clipped !== undefined) {
    const { type, offsetBytes, declaredSizeBytes } = clipped;
    const found = `The ${type} at byte ${offsetBytes} is cut short: it has ${declaredSizeBytes} bytes`;
    throw new ReelmillError("MEDIA_MALFORMED", `${found}, the segment ends at byte ${part.sizeBytes}.`);
  }
  const content = {
    container: "fmp4",
    tracks: tracks.map(({ facts }) => facts),
    spans: [...states.values()].flatMap(({ span }) => span.finish() ?? []),
    continuityFaults: faults,
  } as const;
  if (!isIFrame) return content;
  const iFrameFault = findIFrameFault(states, boxes[0], endBytes, source.sizeBytes);
  return iFrameFault === undefined ? content : { ...content, iFrameFault };
}

function createState(track: InitializedTrack, recentFrames: RecentFrames): State {
  const kind = track.facts.kind === "video" ? "video" : "audio";
  return { track, span: new SpanBuilder(kind, recentFrames), nextTicks: undefined, firstSampleEndBytes: 0 };
}

function measureMoof({ source, part, isComplete, states, faults }: Measuring, box: TopLevelBox): void {
  const bytes = box.sizeBytes <= MAX_MOOF_BYTES ? readExactly(part, box.offsetBytes, box.sizeBytes) : undefined;
  const moof = bytes && openBox(bytes, box.offsetBytes);
  if (moof === undefined || moof.isClipped) {
    const problem = `The moof at byte ${box.offsetBytes} is cut short, or larger than ${MAX_MOOF_BYTES} bytes.`;
    throw new ReelmillError("MEDIA_MALFORMED", problem);
  }
  let implicitBase = box.offsetBytes;
  for (const traf of moof.children().filter(({ type }) => type === "traf")) {
    const fragment = parseTraf(traf, box.offsetBytes, implicitBase, (id) => states.get(id)?.track.defaults);
    const last = fragment.runs.at(-1);
    if (last !== undefined) implicitBase = last.offsetBytes + runBytes(last);
    if (isComplete) for (const run of fragment.runs) requireSamples(run, fragment.trackId, part.sizeBytes);
    const state = states.get(fragment.trackId);
    if (state !== undefined && state.track.facts.kind !== "text") measureTrack(source, state, fragment, faults);
  }
}

function requireSamples(run: FragmentRun, trackId: number, endBytes: number): void {
  const runEndBytes = run.offsetBytes + runBytes(run);
  if (runEndBytes <= endBytes) return;
  const problem = `Samples of track ${trackId} reach to byte ${runEndBytes}, the segment ends at byte ${endBytes}.`;
  throw new ReelmillError("MEDIA_MALFORMED", problem);
}

function measureTrack(source: ByteSource, state: State, fragment: TrackFragment, faults: string[]): void {
  const { timescale } = state.track;
  const start = fragment.baseDecodeTimeTicks;
  if (start === undefined && state.nextTicks === undefined) {
    throw new ReelmillError(
      "MEDIA_MALFORMED",
      `A fragment of track ${fragment.trackId} has no tfdt; it must have one.`,
    );
  }
  const expected = state.nextTicks;
  if (
    start !== undefined &&
    expected !== undefined &&
    Math.abs(start - expected) > MAX_DECODE_GAP_SECONDS * timescale
  ) {
    faults.push(`the decode time of track ${fragment.trackId} jumps from ${expected} to ${start} within the segment`);
  }
  let ticks = start ?? expected ?? 0;
  for (const run of fragment.runs) ticks = measureRun(source, state, run, ticks);
  state.nextTicks = ticks;
}

/** Adds a run's samples; returns the decode time behind them, in ticks. */
function measureRun(source: ByteSource, state: State, run: FragmentRun, startTicks: number): number {
  const { track, span } = state;
  if (span.sampleCount + run.sampleCount > MAX_SAMPLES) {
    throw new ReelmillError("MEDIA_MALFORMED", `The segment has more than ${MAX_SAMPLES} samples.`);
  }
  let ticks = startTicks;
  let offsetBytes = run.offsetBytes;
  for (let sample = 0; sample < run.sampleCount; sample++) {
    const durationTicks = run.durations?.[sample] ?? run.defaultDurationTicks;
    const sizeBytes = run.sizes?.[sample] ?? run.defaultSizeBytes;
    const isSync = track.facts.kind === "audio" || (flagsOf(run, sample) & NON_SYNC_FLAG) === 0;
    if (span.sampleCount === 0) {
      span.startFault = startFaultOf(source, track, offsetBytes, sizeBytes, isSync);
      state.firstSampleEndBytes = offsetBytes + sizeBytes;
    }
    const presentationTicks = ticks + (run.compositionOffsets?.[sample] ?? 0) - track.editTicks;
    const isKey = isSync && track.facts.kind === "video";
    const { timescale } = track;
    span.add(ticks / timescale, presentationTicks / timescale, durationTicks / timescale, isKey);
    ticks += durationTicks;
    offsetBytes += sizeBytes;
  }
  return ticks;
}

function flagsOf(run: FragmentRun, sample: number): number {
  return run.sampleFlags?.[sample] ?? (sample === 0 ? run.firstSampleFlags : undefined) ?? run.defaultFlags;
}

/** Why the first sample is not where a decode can begin: by its flags, and for H.264 and HEVC by its NAL units. */
function startFaultOf(
  source: ByteSource,
  track: InitializedTrack,
  offsetBytes: number,
  sizeBytes: number,
  isSync: boolean,
): string | undefined {
  if (!isSync) return "the first picture is not marked as a sync sample";
  // Where samples are encrypted, lengths and headers of NAL units stay clear (ISO/IEC 23001-7 §9.5.2).
  if (track.nal === undefined) return undefined;
  const { family, lengthSizeBytes } = track.nal;
  const end = Math.min(offsetBytes + sizeBytes, source.sizeBytes);
  let at = offsetBytes;
  for (let count = 0; count < MAX_HEAD_NALS && at < end; count++) {
    const head = readExactly(source, at, lengthSizeBytes + 1);
    if (head === undefined) break;
    const type = nalTypeOf(family, head[lengthSizeBytes] as number);
    if (isSliceType(family, type)) return idrFault(family, type);
    let nalBytes = 0;
    for (let byte = 0; byte < lengthSizeBytes; byte++) nalBytes = nalBytes * 256 + (head[byte] as number);
    at += lengthSizeBytes + nalBytes;
  }
  return idrFault(family, undefined);
}

/** §4.4.3.6: an I-frame segment is one key frame, with the `moof` that tells of it (Apple 6.10). */
function findIFrameFault(
  states: ReadonlyMap<number, State>,
  first: TopLevelBox | undefined,
  endBytes: number,
  sourceBytes: number,
): string | undefined {
  const state = [...states.values()].find(({ track }) => track.facts.kind === "video");
  if (state === undefined || state.span.sampleCount === 0) return "it holds no picture";
  if (!["moof", "styp", "sidx", "prft", "emsg", "ftyp"].includes(first?.type ?? "")) {
    return `it begins with the box ${first?.type ?? ""}, not with the moof of its picture`;
  }
  if (state.span.startFault !== undefined) return state.span.startFault;
  const { firstSampleEndBytes } = state;
  if (firstSampleEndBytes > endBytes)
    return `its picture ends at byte ${firstSampleEndBytes}, the range at ${endBytes}`;
  const isWholeFile = endBytes === sourceBytes;
  if (isWholeFile && state.span.sampleCount === 1) return undefined;
  const surplusBytes = endBytes - firstSampleEndBytes;
  return surplusBytes === 0 ? undefined : `${surplusBytes} bytes follow its picture, which are not part of it`;
}
