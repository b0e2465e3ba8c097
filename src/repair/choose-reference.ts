import { ReelmillError } from "../base/errors.ts";
import { formatCount } from "../base/units.ts";
import type { ByteSource } from "../media/bytes/byte-source.ts";
import type { Movie } from "../media/isobmff/movie.ts";
import { describeEntry } from "./describe-entry.ts";
import type { Extent } from "./extents.ts";
import type { Finding } from "./findings.ts";
import { learnProfile, type RecordingProfile } from "./learn/profile.ts";
import { hasReadableConfiguration } from "./sample-check.ts";
import { possibleBytes, recoveredBytes, type Scan, scanExtents } from "./scan-source.ts";
import { signatureOf } from "./signature.ts";
import { countStraySlices } from "./stray-pictures.ts";

/** What helps where a reference does not fit. */
export const GIVE_MATCHING = "Give a recording of the same device with the same settings.";

/** Where the pictures look alike and none of them is found: they are told by what stands between them. */
const ALIKE_SOUND =
  "Its sound must have the same settings, too: where it differs from the recording's, or only one of the two has any, not even pictures are found.";

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
  const learn = (teacher: Teacher): Lesson => ({
    teacher,
    profile: learnProfile(teacher.movie, teacher.source),
  });
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
 * A quick look at whether a reference can fit at all, before minutes are spent on a large file: 1 MiB at the beginning and at each
 * of six places of the largest extent, which may be what the card held before. Throws as `judgeFit` where hardly a byte of them fits; small files are left to the whole scan.
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
  const [first] = extents;
  if (first !== undefined && first !== largest) {
    places.unshift({ ...first, endOffset: Math.min(first.endOffset, first.startOffset + MIB) });
  }
  // Where the beginning claims enough for all places, what the others hold does not matter.
  const enough = HOPELESS_SHARE * MIB * places.length;
  if (claimedBytes(await scanExtents(damaged, places.slice(0, 1), profile), 0) >= enough) return;
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
/** Where there are no pictures to count. */
const CONVINCING_SOUNDS = 200;

/**
 * Holds the result of a whole scan against the reference. Throws REFERENCE_MISMATCH, naming the tracks and `seen` (what
 * the bytes look like, where that shows), where hardly anything fits, where pictures stand whole but do not read, and
 * where all video or all sound of the reference finds nothing though something stands in its place.
 */
export function judgeFit(damaged: ByteSource, scan: Scan, name: string, seen: string | undefined): void {
  const packets = packetsByTrack(scan);
  const share = recoveredBytes(scan) / Math.max(1, possibleBytes(scan));
  const isVideo = (index: number): boolean => scan.profile.tracks[index]?.kind === "video";
  const pictures = packets.reduce((sum, count, index) => sum + (isVideo(index) ? count : 0), 0);
  const isConvincing = pictures >= CONVINCING_PICTURES && share >= CONVINCING_SHARE;
  const isOdd = (share < MIN_FITTING_SHARE && !isConvincing) || isRagged(scan, pictures, share);
  if (isOdd && !holdsStretch(scan)) throw mismatch(scan, packets, name, share, seen);
  requireReadPictures(damaged, scan, packets, name);
  if (missingTrack(scan, packets, share) >= 0) throw mismatch(scan, packets, name, share, seen);
}

/** So many slices that stand whole in the file but do not read are no accident, nor are so many beside each picture found. */
const STRAY = { minSlices: 4, perPicture: 0.2 } as const;

function requireReadPictures(damaged: ByteSource, scan: Scan, packets: readonly number[], name: string): void {
  for (const { tracks } of scan.model.families) {
    const track = tracks[0] ?? 0;
    const entry = scan.profile.tracks[track]?.track.sampleEntries[0];
    const found = packets[track] ?? 0;
    if (entry?.visual === undefined || found === 0) continue;
    const strays = countStraySlices(damaged, scan.findings, entry);
    if (strays < STRAY.minSlices || strays < STRAY.perPicture * found) continue;
    throw new ReelmillError(
      "REFERENCE_MISMATCH",
      `The reference ${name} does not fit: its video track (${describeEntry(entry)}) reads ${formatCount(found, "picture")}, but at least ${strays} that stand whole in the damaged file do not read with its parameters: profile or encoder settings differ.`,
      { advice: GIVE_MATCHING },
    );
  }
}

/**
 * Whether somewhere so many pictures (of a recording without any: sounds) follow one another with nothing lost between that this
 * is no accident, however much else there is: a card that was used before has other things behind what was recorded last.
 */
function holdsStretch({ log, model, profile }: Scan): boolean {
  const hasVideo = profile.tracks.some(({ kind }) => kind === "video");
  const wanted = hasVideo ? CONVINCING_PICTURES : CONVINCING_SOUNDS;
  const counts = model.families.map(({ tracks }, family) => {
    const kind = profile.tracks[tracks[0] ?? 0]?.kind;
    return model.parsers[family]?.isSelfDelimiting === true && kind === (hasVideo ? "video" : "audio");
  });
  let inARow = 0;
  for (let index = 0; index < log.count && inARow < wanted; index++) {
    if (log.isAfterGap(index)) inARow = 0;
    inARow += Number(counts[log.family(index)]);
  }
  return inARow >= wanted;
}

/** Damage takes long stretches out; a wrong reference fits a packet here and there. */
const RAGGED = { maxShare: 0.7, minGaps: 20, maxPacketsPerGap: 10 } as const;

/** Only packets that tell their own size count: others claim whatever stands between two. */
function isRagged({ log, findings, model }: Scan, pictures: number, share: number): boolean {
  if (pictures === 0 || share >= RAGGED.maxShare) return false;
  let packets = 0;
  for (let index = 0; index < log.count; index++) packets += Number(model.parsers[log.family(index)]?.isSelfDelimiting);
  return countLost(findings) >= RAGGED.minGaps && packets < countLost(findings) * RAGGED.maxPacketsPerGap;
}

/** Places where bytes are lost; what stands on both sides of zeros is one. */
function countLost(findings: readonly Finding[]): number {
  const isPlace = ({ kind, startOffset }: Finding, index: number): boolean => {
    const before = findings[index - 1];
    return kind === "lost" && !(before?.kind === "zeros" && before.endOffset === startOffset);
  };
  return findings.reduce((count, finding, index) => count + Number(isPlace(finding, index)), 0);
}

/** So many places between packets where something else regularly stands. */
const REGULAR_GAPS = 8;

/** The reference's first track of a kind none of whose tracks was found, though something stands between the packets. */
function missingTrack(scan: Scan, packets: readonly number[], share: number): number {
  const { tracks } = scan.profile;
  const kinds = (["video", "audio"] as const).filter((kind) => {
    const found = tracks.reduce((sum, own, index) => sum + (own.kind === kind ? (packets[index] ?? 0) : 0), 0);
    return found === 0 && (kind === "video" || countLost(scan.findings) >= REGULAR_GAPS);
  });
  if (share > (kinds.includes("video") ? MOSTLY_RECOVERED : ALL_RECOVERED)) return -1;
  return tracks.findIndex(({ kind, track }) => kinds.includes(kind as "video") && track.samples.sampleCount > 0);
}

/** With more than this accounted for nothing regular is missing. */
const ALL_RECOVERED = 0.99;
/** With this much accounted for, no video is missing: there was none. */
const MOSTLY_RECOVERED = 0.9;

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
    const fit = count === 0 ? "fits nothing in the damaged file" : `fits ${formatCount(count, "packet")}`;
    return `its ${kind === "other" ? "metadata" : kind} track (${describeTrack(scan, track)}) ${fit}`;
  });
  const video = scan.profile.tracks.findIndex(({ kind }) => kind === "video");
  const [codec = ""] = video < 0 ? [] : describeTrack(scan, video).split(",");
  const isAlike = codec !== "" && (seen ?? "").replaceAll(/\W/g, "").toLowerCase().includes(codec);
  const isSound = isAlike && packets.every((count) => count === 0);
  const advice = isSound ? `${GIVE_MATCHING} ${ALIKE_SOUND}` : GIVE_MATCHING;
  const saw = seen === undefined ? "" : ` The damaged file looks like ${seen}.`;
  const percent = Math.round(share * 100);
  return new ReelmillError(
    "REFERENCE_MISMATCH",
    `The reference ${name} does not fit: ${told.join("; ")}; together ${percent} % of the bytes.${saw}`,
    { advice },
  );
}

function describeTrack(scan: Scan, track: number): string {
  const entry = scan.profile.tracks[track]?.track.sampleEntries[0];
  return entry ? describeEntry(entry) : "unknown";
}
