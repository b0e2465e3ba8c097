import { ReelmillError } from "../base/errors.ts";
import type { ByteSource } from "../media/bytes/byte-source.ts";
import type { Movie } from "../media/isobmff/movie.ts";
import { assignTracks } from "./assign.ts";
import { chooseReference, judgeFit, type Lesson, refuseHopeless, type Teacher } from "./choose-reference.ts";
import { findDataEnd } from "./data-end.ts";
import { leaveOutElsewhere, mediaElsewhere } from "./elsewhere.ts";
import { foreignFileOf, isMxf, nameContent } from "./foreign-file.ts";
import { repairFragments } from "./fragmented.ts";
import { type KeptIndex, keepIndex } from "./index-kept.ts";
import type { RecordingProfile } from "./learn/profile.ts";
import type { Learnt, Reference, RepairOptions, RepairOutcome } from "./outcome.ts";
import { REFERENCE_ADVICE } from "./reference-advice.ts";
import { readReferences } from "./reference-movies.ts";
import { type RepairReport, reportScan, type TrackReport, withSilence } from "./report.ts";
import { possibleBytes, profileOfPackets, recoveredBytes, type Scan, scanExtents } from "./scan-source.ts";
import { describePayload } from "./self-described/describe.ts";
import { learnFromItself } from "./self-described/learn.ts";
import { beginAsFound } from "./timing/beginning.ts";
import { endWithPictures } from "./timing/last-samples.ts";
import { contradictRate, refineRate } from "./timing/picture-rate.ts";
import { buildTimelines } from "./timing/timeline.ts";
import { type Triage, triage } from "./triage.ts";
import { buildMovie } from "./write/build-movie.ts";
import { layOutput, type Payload } from "./write/layout.ts";

export type { Learnt, Reference, RepairOptions, RepairOutcome } from "./outcome.ts";

/**
 * Repairs one damaged MP4 or MOV: finds out what is wrong, recovers every packet whose bytes are whole, and lays out
 * the repaired file. Throws INPUT_EMPTY, INPUT_NOT_VIDEO, REFERENCE_REQUIRED, REFERENCE_MISMATCH, REFERENCE_UNUSABLE
 * or NOTHING_RECOVERED.
 */
export async function repairSource(
  damaged: ByteSource,
  references: readonly Reference[],
  options: RepairOptions = {},
): Promise<RepairOutcome> {
  if (damaged.sizeBytes === 0)
    throw new ReelmillError("INPUT_EMPTY", "The file holds no bytes: there is nothing to recover.");
  const found = triage(damaged, await findDataEnd(damaged, options.onPause));
  const { state, elsewhere } = leaveOutElsewhere(found);
  const isForeign = state.container !== "isobmff" && state.container !== "unknown";
  const isOther = state.container === "unknown" && isMxf(damaged);
  if (isOther || (isForeign && references.length === 0)) throw notVideo(damaged, state);
  if (elsewhere.length > 0 && state.movies.length === 0) throw mediaElsewhere(elsewhere);
  const kept = await keepIndex(damaged, state, options);
  if (kept.kind === "sound") {
    if (kept.outcome.report.diagnosis === "healthy" && elsewhere.length > 0) throw mediaElsewhere(elsewhere);
    return kept.outcome;
  }
  // Laid out here, where nothing of the scan or the references takes memory any more.
  const recovered = await recover(damaged, state, kept, references, options);
  return "movie" in recovered ? layBuilt(damaged, recovered, options) : recovered;
}

/** What is left where no index tells all. */
async function recover(
  damaged: ByteSource,
  state: Triage,
  kept: KeptIndex,
  references: readonly Reference[],
  options: RepairOptions,
): Promise<Built | RepairOutcome> {
  const movies = readReferences(references);
  const fragments = await repairFragments(damaged, state, movies, options);
  if (fragments) return fragments;
  const self = { name: "its own index", source: damaged, ftyp: state.ftyp };
  if (kept.kind === "short") {
    const teachers: readonly Teacher[] = [{ ...self, movie: kept.movie }, ...movies];
    return await scanBeyondIndex(damaged, state, kept, teachers, references, options);
  }
  const teachers: readonly Teacher[] = kept.kind === "stale" ? [...movies, { ...self, movie: kept.movie }] : movies;
  const lesson = await chooseReference(damaged, state.extents, teachers);
  if (lesson) return await repairByScan(damaged, state, lesson, references, options);
  return await repairUnaided(damaged, state, options);
}

function notVideo(damaged: ByteSource, { container }: Triage): ReelmillError {
  const kind = nameContent(damaged, container);
  return new ReelmillError(
    "INPUT_NOT_VIDEO",
    `The file's content is no recording in MP4 or MOV (it looks like: ${kind}).`,
  );
}

function referenceNeeded(damaged: ByteSource, state: Triage): ReelmillError {
  const seen = describePayload(damaged, state.extents);
  const isForeign = seen === undefined || foreignFileOf(damaged) !== undefined;
  if (state.container === "unknown" && isForeign) return notVideo(damaged, state);
  const saw = seen === undefined ? "" : ` Its data look like ${seen}.`;
  return new ReelmillError("REFERENCE_REQUIRED", `The index and with it the codec configuration are lost.${saw}`, {
    advice: REFERENCE_ADVICE,
  });
}

/** An index that lists a part: a scan must find more than it does to be preferred. */
async function scanBeyondIndex(
  damaged: ByteSource,
  state: Triage,
  kept: KeptIndex & { readonly kind: "short" },
  teachers: readonly Teacher[],
  references: readonly Reference[],
  options: RepairOptions,
): Promise<Built | RepairOutcome> {
  try {
    const lesson = await chooseReference(damaged, state.extents, teachers);
    if (lesson === undefined) return kept.outcome;
    const scan = await scanExtents(damaged, state.extents, lesson.profile, options.onProgress);
    if (recoveredBytes(scan) <= kept.indexedBytes) return kept.outcome;
    return buildTaught(damaged, state, learntFrom(lesson, references), scan);
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "NOTHING_RECOVERED") return kept.outcome;
    throw error;
  }
}

/** Neither index nor reference: the packets must tell what they are. */
async function repairUnaided(damaged: ByteSource, state: Triage, options: RepairOptions): Promise<Built> {
  const portrait = learnFromItself(damaged, state);
  if (portrait === undefined) throw referenceNeeded(damaged, state);
  const scan = await scanExtents(damaged, state.extents, portrait.profile, options.onProgress);
  const isTrusted = scan.log.count > 0 && recoveredBytes(scan) >= MIN_TRUSTED_SHARE * possibleBytes(scan);
  if (!isTrusted) throw referenceNeeded(damaged, state);
  const refined = portrait.isRateAssumed ? refineRate(scan) : undefined;
  const knowledge = { profile: refined ?? portrait.profile, ftyp: undefined, reference: undefined };
  const built = buildScanned(state, knowledge, scan);
  if (!portrait.isRateAssumed) return built;
  return withVideo(built, { timing: refined ? "other-clock" : "assumed" });
}

/** Tells as much more of the video tracks. */
function withVideo(built: Built, more: Partial<TrackReport>): Built {
  const tracks = built.report.tracks.map((track) => (track.kind === "video" ? { ...track, ...more } : track));
  return { ...built, report: { ...built.report, tracks } };
}

/** What was learnt without a reference must account for most of the data. */
const MIN_TRUSTED_SHARE = 0.5;

async function repairByScan(
  damaged: ByteSource,
  state: Triage,
  lesson: Lesson,
  references: readonly Reference[],
  options: RepairOptions,
): Promise<Built> {
  const look = (): string | undefined => describePayload(damaged, state.extents);
  await refuseHopeless(damaged, state.extents, lesson, look);
  const scan = await scanExtents(damaged, state.extents, lesson.profile, options.onProgress);
  // Only looked for where it is wanted: it takes a search of its own.
  const seen = recoveredBytes(scan) < possibleBytes(scan) / 2 ? look() : undefined;
  const isForeign = seen === undefined || foreignFileOf(damaged) !== undefined;
  if (state.container !== "isobmff" && isForeign && !hasToldPackets(scan)) throw notVideo(damaged, state);
  if (scan.log.count === 0 && seen === undefined) {
    throw new ReelmillError("NOTHING_RECOVERED", "No packet of any of the reference's tracks was found.");
  }
  judgeFit(damaged, scan, lesson.teacher.name, seen);
  return buildTaught(damaged, state, learntFrom(lesson, references), scan);
}

/** Whether packets were found that tell their own size, or the reference has none of that kind: others fit any bytes. */
function hasToldPackets({ log, model }: Scan): boolean {
  if (!model.parsers.some((parser) => parser.isSelfDelimiting)) return log.count > 0;
  for (let index = 0; index < log.count; index++) {
    if (model.parsers[log.family(index)]?.isSelfDelimiting) return true;
  }
  return false;
}

/** At the reference's picture rate, unless the sound tells another, and beginning as the packets do. */
function buildTaught(damaged: ByteSource, state: Triage, knowledge: Knowledge, scan: Scan): Built {
  const other = contradictRate(scan);
  const profile = beginAsFound(other?.profile ?? knowledge.profile, scan, damaged);
  const built = buildScanned(state, { ...knowledge, profile }, scan);
  if (other?.rates === undefined) return built;
  return withVideo(built, { otherRate: other.rates, ...(other.profile ? { timing: "other-clock" } : {}) });
}

/** What a movie is built from besides the packets. */
interface Knowledge {
  readonly profile: RecordingProfile;
  readonly ftyp: Uint8Array | undefined;
  /** Undefined where the damaged file itself told. */
  readonly reference: Learnt["reference"] | undefined;
}

function learntFrom({ teacher, profile }: Lesson, references: readonly Reference[]): Knowledge {
  const isReference = references.some(({ source }) => source === teacher.source);
  return { profile, ftyp: teacher.ftyp, reference: isReference ? teacher : undefined };
}

/** A movie built from a scan, which takes less memory than the scan itself. */
interface Built {
  readonly movie: Movie;
  readonly report: RepairReport;
  readonly payload: Payload;
  readonly ftyp: Uint8Array | undefined;
  readonly reference: Learnt["reference"] | undefined;
}

function buildScanned(state: Triage, knowledge: Knowledge, scan: Scan): Built {
  const { log, model } = scan;
  const profile = profileOfPackets(knowledge.profile, scan);
  const assigned = assignTracks(log, model.families, profile);
  const timelines = endWithPictures(profile, log, buildTimelines(log, assigned, profile));
  const startOffset = state.extents[0]?.startOffset ?? 0;
  const endOffset = log.offset(log.count - 1) + log.size(log.count - 1);
  const movie = buildMovie(profile, log, timelines);
  const report = reportScan(profile, log, timelines, scan);
  return {
    movie,
    report: withSilence(report, movie),
    payload: { startOffset, endOffset },
    ftyp: state.ftyp ?? knowledge.ftyp,
    reference: knowledge.reference,
  };
}

function layBuilt(damaged: ByteSource, built: Built, options: RepairOptions): RepairOutcome {
  const { movie, report, payload, ftyp, reference } = built;
  return {
    report,
    layout: layOutput(damaged, payload, movie, ftyp, options.faststart ?? false),
    ...(reference ? { learnt: { movie, reference } } : {}),
  };
}
