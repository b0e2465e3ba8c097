import { ReelmillError } from "../base/errors.ts";
import type { ByteSource } from "../media/bytes/byte-source.ts";
import type { Movie, SampleEntry } from "../media/isobmff/movie.ts";
import type { Extent } from "./extents.ts";
import type { Finding } from "./findings.ts";
import { learnProfile, type RecordingProfile } from "./learn/profile.ts";
import { hasReadableConfiguration } from "./sample-check.ts";
import { possibleBytes, recoveredBytes, type Scan, scanExtents } from "./scan-source.ts";

/** What a scan can learn from. */
export interface Teacher {
  /** How messages call it. */
  readonly name: string;
  readonly source: ByteSource;
  /** Holds samples. */
  readonly movie: Movie;
  readonly ftyp: Uint8Array | undefined;
}

/** A teacher and what was learnt from it. */
export interface Lesson {
  readonly teacher: Teacher;
  readonly profile: RecordingProfile;
}

const MIB = 1024 * 1024;
const FIRST_TRIED_BYTES = 4 * MIB;
const MIDDLE_TRIED_BYTES = MIB;
/** Open packets (PCM, unknown codecs) may claim bytes that they only happen to fit. */
const OPEN_SHARE = 0.5;

/**
 * Picks the reference whose packets claim most of the damaged bytes: each is tried on the first 4 MiB and 1 MiB in the
 * middle. Of equal ones the first wins; ones with the same configuration as
 * an earlier one, or one that cannot be read, are not tried.
 */
export async function chooseReference(
  damaged: ByteSource,
  extents: readonly Extent[],
  teachers: readonly Teacher[],
): Promise<Lesson | undefined> {
  const readable = teachers.filter(({ movie, source }) => hasReadableConfiguration(movie, source));
  const signatures = readable.map(({ movie }) => signatureOf(movie));
  const distinct = readable.filter((_, index) => signatures.indexOf(signatures[index] as string) === index);
  const learn = (teacher: Teacher): Lesson => ({ teacher, profile: learnProfile(teacher.movie, teacher.source) });
  if (distinct.length <= 1) return distinct[0] && learn(distinct[0]);
  const tried = triedExtents(extents);
  let best: { lesson: Lesson; score: number } | undefined;
  for (const teacher of distinct) {
    const lesson = learn(teacher);
    const score = claimedBytes(await scanExtents(damaged, tried, lesson.profile), OPEN_SHARE);
    if (best === undefined || score > best.score) best = { lesson, score };
  }
  return best?.lesson;
}

/** Equal where tracks and their codec configuration are. */
function signatureOf(movie: Movie): string {
  return movie.tracks
    .map((track) => [track.handlerType, track.timescale, ...track.sampleEntries.map(({ raw }) => raw.join())].join("|"))
    .join("\n");
}

/** The beginning of the first extent and a stretch in the middle of the largest, where it does not overlap. */
function triedExtents(extents: readonly Extent[]): Extent[] {
  const first = extents[0];
  if (first === undefined) return [];
  const head = {
    startOffset: first.startOffset,
    endOffset: Math.min(first.endOffset, first.startOffset + FIRST_TRIED_BYTES),
  };
  const largest = extents.reduce((a, b) => (b.endOffset - b.startOffset > a.endOffset - a.startOffset ? b : a));
  const middle = Math.floor((largest.startOffset + largest.endOffset) / 2);
  if (middle < head.endOffset) return [head];
  return [head, { startOffset: middle, endOffset: Math.min(largest.endOffset, middle + MIDDLE_TRIED_BYTES) }];
}

/** A wrong reference makes a whole scan slow: recordings from this size on are first tried at a few places. */
const MIN_TRIED_BYTES = 64 * MIB;
const TRIED_PLACES = 6;
const HOPELESS_SHARE = 0.002;

/**
 * A quick look at whether a reference can fit at all, before minutes are spent on a large file: 1 MiB at each of six
 * places. Throws as `judgeFit` where hardly a byte of them fits; small files are left to the whole scan.
 */
export async function refuseHopeless(
  damaged: ByteSource,
  extents: readonly Extent[],
  { profile, teacher }: Lesson,
  seen: () => string | undefined,
): Promise<void> {
  const largest = extents.reduce<Extent | undefined>(
    (a, b) => (a && a.endOffset - a.startOffset >= b.endOffset - b.startOffset ? a : b),
    undefined,
  );
  if (largest === undefined) return;
  const length = largest.endOffset - largest.startOffset;
  if (length < MIN_TRIED_BYTES) return;
  const places = Array.from({ length: TRIED_PLACES }, (_, place): Extent => {
    const startOffset = largest.startOffset + Math.floor((length * place) / TRIED_PLACES);
    return { startOffset, endOffset: startOffset + MIB };
  });
  const scan = await scanExtents(damaged, places, profile);
  const possible = possibleBytes(scan);
  // Open packets claim whatever stands between two places.
  const share = claimedBytes(scan, 0) / Math.max(1, possible);
  const isTold = scan.model.parsers.some((parser) => parser.isSelfDelimiting);
  if (!isTold || possible < MIB / 2 || share >= HOPELESS_SHARE) return;
  const like = seen();
  if (like !== undefined) throw mismatch(scan, packetsByTrack(scan), teacher.name, share, like);
}

/** Bytes of the packets found, those of open ones counted at `openShare`. */
function claimedBytes({ log, model }: Scan, openShare: number): number {
  let bytes = 0;
  for (let index = 0; index < log.count; index++) {
    bytes += log.size(index) * (model.parsers[log.family(index)]?.isSelfDelimiting ? 1 : openShare);
  }
  return bytes;
}

/** A scan that claims less of what is there was made with the wrong reference. */
const MIN_FITTING_SHARE = 0.2;
/** Unless that many pictures say otherwise: then the file is damaged all over. */
const CONVINCING_PICTURES = 30;
const CONVINCING_SHARE = 0.05;

/**
 * Holds the result of a whole scan against the reference. Throws REFERENCE_MISMATCH, naming the tracks and `seen` (what
 * the bytes look like, where that shows), where hardly anything fits. A video track that found nothing beside audio
 * that did is a finding.
 */
export function judgeFit(scan: Scan, name: string, seen: string | undefined): Finding[] {
  const packets = packetsByTrack(scan);
  const share = recoveredBytes(scan) / Math.max(1, possibleBytes(scan));
  const isVideo = (index: number): boolean => scan.profile.tracks[index]?.kind === "video";
  const pictures = packets.reduce((sum, count, index) => sum + (isVideo(index) ? count : 0), 0);
  const isConvincing = pictures >= CONVINCING_PICTURES && share >= CONVINCING_SHARE;
  if ((share < MIN_FITTING_SHARE && !isConvincing) || isRagged(scan, pictures, share))
    throw mismatch(scan, packets, name, share, seen);
  const first = scan.profile.tracks.findIndex((track) => track.kind === "video" && track.track.samples.sampleCount > 0);
  if (first < 0 || pictures > 0 || share > MOSTLY_RECOVERED) return [];
  const action = `no packet of the reference's video track (${describeTrack(scan, first)}) was found: is the reference of the same device and settings?`;
  return [{ kind: "lost", startOffset: scan.log.offset(0), endOffset: endOfLog(scan), action }];
}

/** Damage takes long stretches out; a wrong reference fits a packet here and there. */
const RAGGED = { maxShare: 0.5, minGaps: 20, maxPacketsPerGap: 10 } as const;

function isRagged({ log, findings, model }: Scan, pictures: number, share: number): boolean {
  if (pictures === 0 || share >= RAGGED.maxShare || !model.parsers.every((parser) => parser.isSelfDelimiting))
    return false;
  const gaps = findings.reduce((count, { kind }) => count + Number(kind === "lost"), 0);
  return gaps >= RAGGED.minGaps && log.count < gaps * RAGGED.maxPacketsPerGap;
}

/** With this much accounted for, no video is missing: there was none. */
const MOSTLY_RECOVERED = 0.9;

function endOfLog({ log }: Scan): number {
  return log.offset(log.count - 1) + log.size(log.count - 1);
}

/** Packets by the reference's track; those of tracks that look alike count for the first. */
function packetsByTrack({ log, model, profile }: Scan): number[] {
  const counts = new Array<number>(profile.tracks.length).fill(0);
  for (let index = 0; index < log.count; index++) {
    const track = model.families[log.family(index)]?.tracks[0] ?? 0;
    counts[track] = (counts[track] ?? 0) + 1;
  }
  return counts;
}

function mismatch(
  scan: Scan,
  packets: readonly number[],
  name: string,
  share: number,
  seen: string | undefined,
): ReelmillError {
  const told = scan.model.families.map(({ tracks }) => {
    const track = tracks[0] ?? 0;
    const { kind } = scan.profile.tracks[track] ?? { kind: "other" };
    const count = packets[track] ?? 0;
    const fit = count === 0 ? "fits nothing in the damaged file" : `fits ${count} packet${count === 1 ? "" : "s"}`;
    return `its ${kind === "other" ? "metadata" : kind} track (${describeTrack(scan, track)}) ${fit}`;
  });
  const saw = seen === undefined ? "" : ` The damaged file looks like ${seen}.`;
  const percent = Math.round(share * 100);
  return new ReelmillError(
    "REFERENCE_MISMATCH",
    `The reference ${name} does not fit: ${told.join("; ")}; together ${percent} % of the bytes.${saw} Give a recording of the same device with the same settings.`,
  );
}

function describeTrack(scan: Scan, track: number): string {
  const entry = scan.profile.tracks[track]?.track.sampleEntries[0];
  return entry ? describeEntry(entry) : "unknown";
}

function describeEntry({ format, visual, audio }: SampleEntry): string {
  const codec = format.trim();
  if (visual) return `${codec}, ${visual.widthPixels}×${visual.heightPixels}`;
  if (audio)
    return `${codec}, ${audio.channelCount} channel${audio.channelCount === 1 ? "" : "s"}, ${audio.sampleRateHz} Hz`;
  return codec;
}
