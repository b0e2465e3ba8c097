import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { runBoth } from "../../base/run-both.ts";
import { decodeStreams, type StreamDecode } from "../../ffmpeg/decode-stream.ts";
import { findFfmpeg } from "../../ffmpeg/programs.ts";
import type { FfmpegTools } from "../../ffmpeg/tools.ts";
import type { Track } from "../../media/isobmff/movie.ts";
import { GIVE_MATCHING } from "../../repair/choose-reference.ts";
import { type DecoderTrial, planDecoderTrial, type TrialSize, type TrialStream } from "../../repair/decoder-trial.ts";
import type { Learnt } from "../../repair/repair-source.ts";
import type { RepairReport } from "../../repair/report.ts";
import type { RepairPipelineOptions } from "./options.ts";
import type { Recording, Recordings } from "./recordings.ts";

/** A look that every repair takes, and the closer one where it shows something odd. */
const GLANCE: TrialSize = { stretches: 3, pictures: 4 };
const SCRUTINY: TrialSize = { stretches: 7, pictures: 6 };
const UNABLE: readonly ErrorCode[] = ["FFMPEG_MISSING", "FFMPEG_FAILED", "FFMPEG_TIMEOUT", "PROGRAM_KILLED"];
const TRIAL_TIMEOUT_MS = 20_000;
/** What decoders at work side by side may take, and one for each pixel: some six pictures of up to ten bits, and what it holds besides. */
const MAX_DECODER_BYTES = 512 * 1024 * 1024;
const DECODER_BYTES_PER_PIXEL = 24;
/** Fewer pictures than these may all be damaged where the scan could not see it. */
const MIN_ALTERED = 4;
/** Unless most of the file did not read at all: then what little was found need not be many. */
const DOUBTFUL_CONFIDENCE = 0.5;
/** Wrong parameters may read a picture to its end by chance. */
const UNREAD_SHARE = 0.85;

/** What a decoder made of a trial. */
interface Outcome {
  /** Pictures that came out of the stretches as they are. */
  readonly pictures: number;
  readonly complaints: number;
  readonly keys: Altered;
  readonly ends: Altered;
}

/** Pictures whose last bytes were altered. */
interface Altered {
  readonly count: number;
  /** Those of them that look as before: the decoder did not read their last bytes. */
  readonly unread: number;
  readonly complaints: number;
}

/**
 * Has ffmpeg decode some of the H.264 or HEVC pictures recovered, and where it stumbles, some of the reference's own to
 * compare. Throws REFERENCE_MISMATCH naming the track and what does not fit where the parameters are not those of the
 * damaged file; nothing can be told without ffmpeg and of other codecs. Throws ABORTED.
 */
export async function requireFit(
  damaged: Recording,
  learnt: Learnt,
  { findings, confidence }: Pick<RepairReport, "findings" | "confidence">,
  { environment, signal }: Pick<RepairPipelineOptions, "environment" | "signal">,
  recordings: Recordings,
): Promise<void> {
  const found = await findFfmpeg(environment);
  if (found === undefined) return;
  const tools = { ...found, timeoutMs: Math.min(found.timeoutMs, TRIAL_TIMEOUT_MS) };
  const damage = findings.filter(({ kind }) => kind !== "padding");
  try {
    for (const track of learnt.movie.tracks) {
      const trial = planDecoderTrial(track, damaged, damage, GLANCE);
      if (trial === undefined || !(await isOdd(tools, trial, signal))) continue;
      const closer = planDecoderTrial(track, damaged, damage, SCRUTINY);
      if (closer === undefined) continue;
      const minAltered = confidence < DOUBTFUL_CONFIDENCE ? 1 : MIN_ALTERED;
      const symptom = await compare({ tools, signal, minAltered, recordings }, track, closer, learnt);
      if (symptom !== undefined) throw describeMisfit(learnt, closer, symptom);
    }
  } catch (error) {
    // ffmpeg that cannot be run, or takes too long, tells nothing about the reference.
    if (!(error instanceof ReelmillError) || !UNABLE.includes(error.code)) throw error;
  }
}

/** All stretches as one: enough to see whether anything is odd. */
async function isOdd(tools: FfmpegTools, trial: DecoderTrial, signal: AbortSignal): Promise<boolean> {
  const [whole, keys] = await runBoth(
    signal,
    (either) => decodeStreams(tools, trial.format, [joined(trial.stretches)], either),
    (either) => decodeKeys(tools, trial, either),
  );
  const seen = new Set(whole.pictures.flat());
  return seen.size === 0 || whole.complaints.length > 0 || keys.pictures.flat().some((picture) => seen.has(picture));
}

function* joined(streams: readonly TrialStream[]): Iterable<Uint8Array> {
  for (const stream of streams) yield* stream;
}

async function decodeKeys(tools: FfmpegTools, trial: DecoderTrial, signal: AbortSignal): Promise<StreamDecode> {
  if (trial.alteredKeys === undefined) return { pictures: [], complaints: [] };
  return await decodeStreams(tools, trial.format, [trial.alteredKeys], signal);
}

/** Each stream by a decoder of its own, in two runs of ffmpeg where there is memory for so many at once. */
async function decodeEach(
  tools: FfmpegTools,
  { format, pixels }: DecoderTrial,
  streams: readonly TrialStream[],
  signal: AbortSignal,
): Promise<StreamDecode> {
  const atOnce = Math.floor(MAX_DECODER_BYTES / 2 / (DECODER_BYTES_PER_PIXEL * Math.max(1, pixels)));
  const size = Math.max(1, Math.min(Math.ceil(streams.length / 2), atOnce));
  const groups = Array.from({ length: Math.ceil(streams.length / size) }, (_, index) =>
    streams.slice(index * size, (index + 1) * size),
  );
  const decoded: StreamDecode[] = [];
  const queue = groups.entries();
  const work = async (either: AbortSignal): Promise<void> => {
    for (const [index, group] of queue) decoded[index] = await decodeGroup(tools, format, group, either);
  };
  await runBoth(signal, work, work);
  return united(decoded);
}

/** One that cannot be decoded keeps ffmpeg from giving the others: then each has a run of its own. */
async function decodeGroup(
  tools: FfmpegTools,
  format: string,
  streams: readonly TrialStream[],
  signal: AbortSignal,
): Promise<StreamDecode> {
  const together = await decodeStreams(tools, format, streams, signal);
  if (streams.length === 1 || together.pictures.every((pictures) => pictures.length > 0)) return together;
  const apart: StreamDecode[] = [];
  for (const stream of streams) apart.push(await decodeStreams(tools, format, [stream], signal));
  return united(apart);
}

function united(decoded: readonly StreamDecode[]): StreamDecode {
  return {
    pictures: decoded.flatMap(({ pictures }) => pictures),
    complaints: decoded.flatMap(({ complaints }) => complaints),
  };
}

async function decodeApart(tools: FfmpegTools, trial: DecoderTrial, signal: AbortSignal): Promise<Outcome> {
  const whole = await decodeEach(tools, trial, trial.stretches, signal);
  const keys = await decodeKeys(tools, trial, signal);
  const ends = await decodeEach(tools, trial, trial.alteredEnds, signal);
  const seen = new Set(whole.pictures.flat());
  const isSeen = (picture: string): boolean => seen.has(picture);
  const keyPictures = keys.pictures.flat();
  return {
    pictures: whole.pictures.flat().length,
    complaints: whole.complaints.length,
    keys: {
      count: keyPictures.length,
      unread: keyPictures.filter(isSeen).length,
      complaints: keys.complaints.length,
    },
    ends: {
      count: ends.pictures.length,
      unread: ends.pictures.filter((pictures) => pictures.length > 0 && pictures.every(isSeen)).length,
      complaints: ends.complaints.length,
    },
  };
}

/**
 * Whether the pictures were left before their last bytes. Of a recording that is damaged where the scan could not see it,
 * that is true of some pictures, large ones first; with wrong parameters of all, but for key pictures that read the same
 * or that the decoder ran through to the end of by chance, and for others whose last bytes tell of an upper part. A black
 * corner may look the same after the decoder stumbled over its bytes, but then it read them.
 */
function isLeftUnread({ keys, ends, complaints }: Outcome, minAltered: number): boolean {
  const isTelling = complaints > 0 || keys.complaints + ends.complaints === 0;
  if (!isTelling || keys.count + ends.count < minAltered) return false;
  // Damage makes a decoder complain of some pictures at least.
  if (complaints === 0 && keys.count >= MIN_ALTERED && keys.unread === keys.count) return true;
  if (ends.unread < UNREAD_SHARE * ends.count) return false;
  if (ends.count >= MIN_ALTERED) return true;
  return keys.unread >= (ends.count === 0 ? keys.count : keys.count / 2);
}

interface Comparison {
  readonly tools: FfmpegTools;
  readonly signal: AbortSignal;
  /** Pictures that are enough to tell. */
  readonly minAltered: number;
  readonly recordings: Recordings;
}

/** What is wrong with the pictures of the damaged file and not with the reference's own. */
async function compare(
  { tools, signal, minAltered, recordings }: Comparison,
  track: Track,
  trial: DecoderTrial,
  { reference }: Learnt,
): Promise<string | undefined> {
  const ours = await decodeApart(tools, trial, signal);
  if (ours.pictures > 0 && !isLeftUnread(ours, minAltered)) return undefined;
  const source = recordings.open(reference.name);
  try {
    // The recovered track was built from the reference's, and kept its id.
    const own = reference.movie.tracks.find(({ trackId }) => trackId === track.trackId);
    const control = own && planDecoderTrial(own, source, [], SCRUTINY);
    const theirs = control && (await decodeApart(tools, control, signal));
    if (theirs === undefined || theirs.pictures === 0) return undefined;
    if (ours.pictures === 0) return "with its parameters none of the pictures tried can be decoded";
    if (theirs.keys.count + theirs.ends.count === 0 || isLeftUnread(theirs, minAltered)) return undefined;
    return "with its parameters the pictures end before their data do";
  } finally {
    source.close();
  }
}

function describeMisfit({ reference }: Learnt, { description }: DecoderTrial, symptom: string): ReelmillError {
  const message = `The reference ${reference.name} does not fit: its video track (${description}) has the damaged file's codec, but ${symptom}. Picture size, profile or encoder settings differ.`;
  return new ReelmillError("REFERENCE_MISMATCH", message, { advice: GIVE_MATCHING });
}
