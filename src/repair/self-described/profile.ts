import { createMovieHeader, createTrackBoxes } from "../../media/isobmff/create-track.ts";
import type { Movie, SampleEntry, SampleTable, Track } from "../../media/isobmff/movie.ts";
import { NO_PADDING } from "../learn/padding.ts";
import type { RecordingProfile, Share, TrackProfile } from "../learn/profile.ts";

/** How long one picture lasts. */
export interface PictureRate {
  /** Ticks per second. */
  readonly timescale: number;
  readonly ticks: number;
  /** Whether nothing in the recording says so. */
  readonly isAssumed: boolean;
}

/** Video that says itself how it is coded. */
export interface GuessedVideo {
  /** As messages call it: `ProRes video, 1920×1080`. */
  readonly name: string;
  readonly entry: SampleEntry;
  readonly rate: PictureRate;
  /** Pictures that presentation stays behind decoding. */
  readonly delayPictures: number;
}

/** Nobody says how fast pictures follow each other: 25 a second. */
export const ASSUMED_RATE: PictureRate = { timescale: 25_000, ticks: 1000, isAssumed: true };
/** A track told by its own packets. */
export interface GuessedTrack {
  readonly kind: "video" | "audio";
  readonly entry: SampleEntry;
  readonly timescale: number;
  /** Duration of one sample (PCM: of one frame) in ticks. */
  readonly ticks: number;
  /** PCM: bytes of a frame; 0 for coded packets. */
  readonly constantSizeBytes: number;
  /** Pictures that presentation stays behind decoding, in ticks. */
  readonly delayTicks: number;
  /** Samples (PCM: frames) seen in a row, commonest first. */
  readonly runSamples: readonly Share[];
}

const MOVIE_TIMESCALE = 1000;

/** What a reference with such tracks would have taught. Track IDs count from 1. */
export function createProfile(guesses: readonly GuessedTrack[]): RecordingProfile {
  const tracks = guesses.map((guess, index) => createTrack(guess, index + 1));
  const movie: Movie = {
    timescale: MOVIE_TIMESCALE,
    movieHeader: createMovieHeader(MOVIE_TIMESCALE, tracks.length + 1),
    isFragmented: false,
    tracks,
  };
  const alternate = guesses.map((_, from) => guesses.map((__, to) => (from === to && guesses.length > 1 ? 0 : 1)));
  return {
    movie,
    tracks: guesses.map((guess, index) => learnt(guess, tracks[index] as Track)),
    interleave: {
      transitions: [guesses.map(() => 1), ...alternate],
      padding: NO_PADDING,
      leads: guesses.map(() => undefined),
      lastLeads: guesses.map(() => undefined),
      lags: guesses.map(() => undefined),
    },
  };
}

function createTrack(guess: GuessedTrack, trackId: number): Track {
  const handlerType = guess.kind === "video" ? "vide" : "soun";
  const size = guess.entry.visual ?? {};
  const { timescale, delayTicks } = guess;
  return {
    trackId,
    handlerType,
    timescale,
    sampleEntries: [guess.entry],
    samples: placeholder(guess),
    edits: delayTicks > 0 ? [{ durationTicks: 0, mediaTimeTicks: delayTicks, rate: 1 }] : [],
    boxes: createTrackBoxes({ trackId, handlerType, timescale, ...size }),
  };
}

/** Two samples that lie nowhere: readers of a profile take a track without samples for unused. */
function placeholder({ constantSizeBytes, ticks }: GuessedTrack): SampleTable {
  return {
    sampleCount: 2,
    chunkOffsets: new Float64Array(0),
    chunkSampleCounts: new Uint32Array(0),
    constantSizeBytes,
    sizes: new Uint32Array(0),
    durationRuns: Uint32Array.of(2, ticks),
  };
}

function learnt(guess: GuessedTrack, track: Track): TrackProfile {
  const times = guess.kind === "video" ? Float64Array.of(0, guess.ticks) : new Float64Array(0);
  return {
    track,
    readSamples: () => [],
    kind: guess.kind,
    durations: [{ value: guess.ticks, count: 1 }],
    decodeTicks: times,
    displayTicks: times,
    minSizeBytes: guess.constantSizeBytes || 1,
    maxSizeBytes: guess.constantSizeBytes || MAX_SIZE_BYTES,
    meanSizeBytes: guess.constantSizeBytes || MAX_SIZE_BYTES / 2,
    runSamples: guess.runSamples,
    presentationDelayTicks: guess.delayTicks,
  };
}

/** No packet is larger; differs from the least size, so that no parser takes sizes for constant. */
const MAX_SIZE_BYTES = 64 * 1024 * 1024;
