import { ReelmillError } from "../../base/errors.ts";
import { formatCount } from "../../base/units.ts";
import { type ByteSource, readExactly } from "../bytes/byte-source.ts";
import { openBox } from "./box-reader.ts";
import { eachMovieFragment, MAX_FRAGMENT_BYTES } from "./fragment-search.ts";
import type { FragmentDefaults, Movie, SampleTable, Track } from "./movie.ts";
import { forEachChunk, forEachSample } from "./sample-table.ts";
import { SampleTableBuilder } from "./sample-table-builder.ts";
import type { TopLevelBox } from "./top-level.ts";
import { type FragmentRun, parseTraf, runBytes } from "./traf.ts";
import { samplesWithin, truncateSampleTable } from "./truncate-sample-table.ts";

/** A longer gap in decode times is not believed at once. */
const MAX_GAP_SECONDS = 3600;
/** Behind more broken parts than this nothing is read: only a hostile file has them. */
const MAX_BROKEN = 16_384;
const NON_SYNC_FLAG = 0x1_0000;

/**
 * Damage to a fragmented file. `hole`: bytes between boxes that are no box; the search went on at the next `moof`.
 * `fragment-broken`: a `moof` (or one track in it) that cannot be read; its samples are missing from the tables.
 * `fragment-cut`: samples whose bytes the file no longer holds whole.
 */
export interface FragmentFinding {
  readonly kind: "hole" | "fragment-broken" | "fragment-cut";
  /** Absolute byte range, end exclusive. */
  readonly byteStart: number;
  readonly byteEnd: number;
  /** The track concerned; absent where that is not known or it is all. */
  readonly trackId?: number;
  /** One sentence in the user's terms. */
  readonly message: string;
}

/** One track's samples out of `moov` and all fragments. */
export interface FragmentedTrack {
  readonly trackId: number;
  /** One chunk per run. Decode times keep gaps: the sample before a gap lasts until the next one's time. */
  readonly samples: SampleTable;
  /** Decode time of the first sample in media ticks: not 0 in files cut out of a longer one. */
  readonly firstDecodeTimeTicks: number;
}

/** What the fragments of a file hold. */
export interface FragmentReading {
  /** In the order of `movie.tracks`, tracks without samples included. */
  readonly tracks: readonly FragmentedTrack[];
  /** By rising `byteStart`. */
  readonly findings: readonly FragmentFinding[];
  /** How many `moof` boxes could be read, at least in part. */
  readonly fragmentCount: number;
}

interface TrackState {
  readonly trackId: number;
  readonly isSound: boolean;
  /** Bytes of one PCM frame of one tick: such tracks are counted in frames as `SampleTable` says. 0 for others. */
  readonly frameBytes: number;
  readonly timescale: number;
  readonly defaults: FragmentDefaults;
  readonly builder: SampleTableBuilder;
  firstDecodeTimeTicks: number | undefined;
  /** Bytes claimed by samples so far; overlapping claims of hostile files end at the source's size. */
  claimedBytes: number;
  /** The jump of decode time that was not believed at the fragment before; 0 where it had none. */
  doubtedGapTicks: number;
}

interface Reading {
  readonly source: ByteSource;
  readonly states: ReadonlyMap<number, TrackState>;
  readonly findings: FragmentFinding[];
  fragmentCount: number;
  /** Tracks' parts that could not be read. */
  brokenCount: number;
  /** Where the samples placed so far end. */
  dataEndBytes: number;
}

/**
 * Reads the samples of a fragmented file, ISO/IEC 14496-12 §8.8. `boxes` is the file's `scanTopLevelBoxes`; where that
 * stopped early, or the last box reaches past the end, the next plausible `moof` is searched for. Broken fragments are
 * skipped and reported, never thrown. Samples that `moov` itself lists come first.
 */
export function readFragments(source: ByteSource, boxes: readonly TopLevelBox[], movie: Movie): FragmentReading {
  const findings: FragmentFinding[] = [];
  const inMovie = movie.tracks.map((track) => withinSource(track, source.sizeBytes, findings));
  const states = new Map(inMovie.map((track) => [track.trackId, createState(movie, track)]));
  const reading: Reading = { source, states, findings, fragmentCount: 0, brokenCount: 0, dataEndBytes: 0 };
  for (const step of eachMovieFragment(source, boxes, () => reading.dataEndBytes)) {
    if (step.kind === "fragment") readFragment(reading, step.offsetBytes, step.sizeBytes);
    else {
      const message = "These bytes are no box; reading went on at the next fragment.";
      reading.findings.push({ kind: "hole", byteStart: step.byteStart, byteEnd: step.byteEnd, message });
    }
  }
  const tracks = [...states.values()].map((state) => ({
    trackId: state.trackId,
    samples: state.builder.build(),
    firstDecodeTimeTicks: state.firstDecodeTimeTicks ?? 0,
  }));
  findings.sort((a, b) => a.byteStart - b.byteStart);
  return { tracks, findings, fragmentCount: reading.fragmentCount };
}

const NO_DEFAULTS: FragmentDefaults = { descriptionIndex: 1, durationTicks: 0, sizeBytes: 0, sampleFlags: 0 };

function createState(movie: Movie, track: Track): TrackState {
  const audio = track.sampleEntries[0]?.audio;
  const isPcm = audio !== undefined && audio.bytesPerFrame > 0 && audio.sampleRateHz === track.timescale;
  const frameBytes = isPcm && (track.samples.sampleCount === 0 || isCountedInFrames(track)) ? audio.bytesPerFrame : 0;
  const builder = new SampleTableBuilder(1024, frameBytes);
  if (frameBytes > 0) copyFrames(track.samples, builder);
  else copySamples(track.samples, builder);
  return {
    trackId: track.trackId,
    isSound: track.handlerType === "soun",
    frameBytes,
    timescale: track.timescale,
    defaults: movie.fragmentDefaults?.get(track.trackId) ?? NO_DEFAULTS,
    builder,
    firstDecodeTimeTicks: builder.sampleCount > 0 ? 0 : undefined,
    claimedBytes: 0,
    doubtedGapTicks: 0,
  };
}

/**
 * The track with those samples of its own table that the source holds whole, and no more than it has bytes: a hostile table
 * of equal samples lists billions in a few bytes.
 */
function withinSource(track: Track, sourceBytes: number, findings: FragmentFinding[]): Track {
  const count = Math.min(samplesWithin(track.samples, sourceBytes), sourceBytes);
  const lost = track.samples.sampleCount - count;
  if (lost <= 0) return track;
  const message = `${lost} of ${formatCount(track.samples.sampleCount, "sample")} of the first part ${lost === 1 ? "reaches" : "reach"} past the end of the file.`;
  findings.push({
    kind: "fragment-cut",
    byteStart: sourceBytes,
    byteEnd: sourceBytes,
    trackId: track.trackId,
    message,
  });
  return { ...track, samples: truncateSampleTable(track.samples, count) };
}

/** Whether the track's own table holds single PCM frames of one tick each. */
function isCountedInFrames(track: Track): boolean {
  const { constantSizeBytes, durationRuns } = track.samples;
  return constantSizeBytes === track.sampleEntries[0]?.audio?.bytesPerFrame && durationRuns[1] === 1;
}

function copyFrames(table: SampleTable, builder: SampleTableBuilder): void {
  forEachChunk(table, (_chunk, _first, sampleCount, offsetBytes, _size, _ticks, descriptionIndex) => {
    builder.startChunk(offsetBytes, descriptionIndex);
    builder.addConstant(sampleCount, 1);
  });
}

function copySamples(table: SampleTable, builder: SampleTableBuilder): void {
  let lastChunk = -1;
  forEachSample(table, (_sample, offsetBytes, sizeBytes, durationTicks, compositionTicks, isSync, chunk) => {
    if (chunk !== lastChunk) builder.startChunk(offsetBytes, table.chunkDescriptionIndexes?.[chunk] ?? 1);
    lastChunk = chunk;
    builder.addSample(sizeBytes, durationTicks, compositionTicks, isSync);
  });
}

function readFragment(reading: Reading, offsetBytes: number, sizeBytes: number): void {
  const byteEnd = offsetBytes + sizeBytes;
  const broken = (message: string, trackId?: number) => {
    const known = trackId === undefined ? {} : { trackId };
    reading.findings.push({ kind: "fragment-broken", byteStart: offsetBytes, byteEnd, message, ...known });
  };
  const bytes = sizeBytes <= MAX_FRAGMENT_BYTES ? readExactly(reading.source, offsetBytes, sizeBytes) : undefined;
  const moof = bytes && openBox(bytes, offsetBytes);
  if (moof === undefined || moof.isClipped) {
    broken("The moof is cut short by the end of the file, or too large.");
    return;
  }
  let implicitBase = offsetBytes;
  let readCount = 0;
  for (const traf of moof.children()) {
    if (traf.type !== "traf" || reading.brokenCount >= MAX_BROKEN) continue;
    try {
      const fragment = parseTraf(traf, offsetBytes, implicitBase, (id) => reading.states.get(id)?.defaults);
      const state = reading.states.get(fragment.trackId);
      if (state === undefined) {
        broken(`Track ${fragment.trackId} is not in the movie.`, fragment.trackId);
        continue;
      }
      if (!alignTime(state, fragment.baseDecodeTimeTicks)) {
        broken(
          "Its decode time jumps by more than an hour; it is played right after the fragment before.",
          state.trackId,
        );
      }
      for (const run of fragment.runs) implicitBase = addRun(reading, state, run);
      readCount++;
    } catch (error) {
      if (!(error instanceof ReelmillError)) throw error;
      reading.brokenCount++;
      broken(error.message);
    }
  }
  if (readCount > 0) reading.fragmentCount++;
}

/**
 * Keeps the clock: the sample before a gap lasts until the fragment's own time. A jump of more than an hour is taken
 * for a damaged number (answer false) unless the next fragment confirms it.
 */
function alignTime(state: TrackState, baseDecodeTimeTicks: number | undefined): boolean {
  if (baseDecodeTimeTicks === undefined) return true;
  if (state.builder.sampleCount === 0) {
    state.firstDecodeTimeTicks = baseDecodeTimeTicks;
    return true;
  }
  const gapTicks = baseDecodeTimeTicks - (state.firstDecodeTimeTicks ?? 0) - state.builder.endTicks;
  const isJump = Math.abs(gapTicks) > state.timescale * MAX_GAP_SECONDS;
  const isConfirmed = Math.abs(gapTicks - state.doubtedGapTicks) <= state.timescale;
  state.doubtedGapTicks = isJump ? gapTicks : 0;
  if (isJump && !isConfirmed) return false;
  state.builder.stretchLastSample(gapTicks);
  return true;
}

/** Adds the run's samples whose bytes are all there; returns where its data end by its own account. */
function addRun(reading: Reading, state: TrackState, run: FragmentRun): number {
  const sourceBytes = reading.source.sizeBytes;
  let offsetBytes = run.offsetBytes;
  let sample = 0;
  state.builder.startChunk(offsetBytes, run.descriptionIndex);
  for (; sample < run.sampleCount; sample++) {
    const sizeBytes = run.sizes?.[sample] ?? run.defaultSizeBytes;
    const claimed = state.claimedBytes + Math.max(1, sizeBytes);
    if (offsetBytes + sizeBytes > sourceBytes || claimed > sourceBytes) break;
    state.claimedBytes = claimed;
    addSample(state, run, sample, sizeBytes);
    offsetBytes += sizeBytes;
  }
  reading.dataEndBytes = Math.max(reading.dataEndBytes, offsetBytes);
  const lost = run.sampleCount - sample;
  if (lost > 0) {
    reading.findings.push({
      kind: "fragment-cut",
      byteStart: Math.min(offsetBytes, sourceBytes),
      byteEnd: sourceBytes,
      trackId: state.trackId,
      message: `${lost} of ${formatCount(run.sampleCount, "sample")} ${lost === 1 ? "reaches" : "reach"} past the end of the file.`,
    });
  }
  return run.offsetBytes + runBytes(run);
}

function addSample(state: TrackState, run: FragmentRun, sample: number, sizeBytes: number): void {
  const durationTicks = run.durations?.[sample] ?? run.defaultDurationTicks;
  if (state.frameBytes > 0) {
    // PCM lasts as long as its frames, and at times a gap is told by a longer duration.
    const frameCount = Math.floor(sizeBytes / state.frameBytes);
    state.builder.addConstant(frameCount, 1);
    if (frameCount > 0 && run.durations) state.builder.stretchLastSample(Math.max(0, durationTicks - frameCount));
    return;
  }
  const defaultFlags = sample === 0 ? (run.firstSampleFlags ?? run.defaultFlags) : run.defaultFlags;
  const flags = run.sampleFlags?.[sample] ?? defaultFlags;
  const isSync = state.isSound || (flags & NON_SYNC_FLAG) === 0;
  state.builder.addSample(sizeBytes, durationTicks, run.compositionOffsets?.[sample] ?? 0, isSync);
}
