import { ReelmillError } from "../base/errors.ts";
import type { ByteSource } from "../media/bytes/byte-source.ts";
import { assignTracks } from "./assign.ts";
import { chooseReference, judgeFit, type Lesson, type Teacher } from "./choose-reference.ts";
import type { Finding } from "./findings.ts";
import { repairFragments } from "./fragmented.ts";
import { type KeptIndex, keepIndex } from "./index-kept.ts";
import type { Reference, RepairOptions, RepairOutcome } from "./outcome.ts";
import { readReferences } from "./reference-movies.ts";
import { reportScan } from "./report.ts";
import { recoveredBytes, type Scan, scanExtents } from "./scan-source.ts";
import { describePayload, learnFromItself } from "./self-described.ts";
import { buildTimelines } from "./timing/timeline.ts";
import { type Triage, triage } from "./triage.ts";
import { buildMovie } from "./write/build-movie.ts";
import { layOutput } from "./write/layout.ts";

export type { Reference, RepairOptions, RepairOutcome } from "./outcome.ts";

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
  if (damaged.sizeBytes === 0) throw new ReelmillError("INPUT_EMPTY", "The file holds no bytes: there is nothing to recover.");
  const state = triage(damaged);
  const isForeign = state.container !== "isobmff" && state.container !== "unknown";
  if (isForeign && references.length === 0) throw notVideo(state);
  const kept = keepIndex(damaged, state, options);
  if (kept.kind === "sound") return kept.outcome;
  const movies = readReferences(references);
  const fragments = repairFragments(damaged, state, movies, options);
  if (fragments) return fragments;
  const teachers: readonly Teacher[] = kept.kind === "none" ? movies : [{ ...kept, name: "its own index", source: damaged, ftyp: state.ftyp }, ...movies];
  if (kept.kind === "short") return await scanBeyondIndex(damaged, state, kept, teachers, options);
  const lesson = await chooseReference(damaged, state.extents, teachers);
  if (lesson) return await repairByScan(damaged, state, lesson, options);
  const own = learnFromItself(damaged, state);
  if (own) return await repairByScan(damaged, state, own, options);
  throw referenceNeeded(damaged, state);
}

function notVideo({ container }: Triage): ReelmillError {
  return new ReelmillError("INPUT_NOT_VIDEO", `The file's content is not MP4 or MOV (it looks like: ${container}).`);
}

function referenceNeeded(damaged: ByteSource, state: Triage): ReelmillError {
  const seen = describePayload(damaged, state.extents);
  if (state.container === "unknown" && seen === undefined) return notVideo(state);
  const saw = seen === undefined ? "" : ` Its data look like ${seen}.`;
  return new ReelmillError(
    "REFERENCE_REQUIRED",
    `The index and with it the codec configuration are lost.${saw} Give a healthy recording of the same device and settings with -r.`,
  );
}

/** An index that lists a part: a scan must find more than it does to be preferred. */
async function scanBeyondIndex(
  damaged: ByteSource,
  state: Triage,
  kept: KeptIndex & { readonly kind: "short" },
  teachers: readonly Teacher[],
  options: RepairOptions,
): Promise<RepairOutcome> {
  try {
    const lesson = await chooseReference(damaged, state.extents, teachers);
    if (lesson === undefined) return kept.outcome;
    const scan = await scanExtents(damaged, state.extents, lesson.profile, options.onProgress);
    return recoveredBytes(scan) > kept.indexedBytes ? buildOutcome(damaged, state, lesson, scan, [], options) : kept.outcome;
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "NOTHING_RECOVERED") return kept.outcome;
    throw error;
  }
}

async function repairByScan(damaged: ByteSource, state: Triage, lesson: Lesson, options: RepairOptions): Promise<RepairOutcome> {
  const scan = await scanExtents(damaged, state.extents, lesson.profile, options.onProgress);
  const seen = describePayload(damaged, state.extents);
  if (scan.log.count === 0 && seen === undefined) {
    throw new ReelmillError("NOTHING_RECOVERED", "No packet of any of the reference's tracks was found.");
  }
  return buildOutcome(damaged, state, lesson, scan, judgeFit(scan, lesson.teacher.name, seen), options);
}

function buildOutcome(
  damaged: ByteSource,
  state: Triage,
  { profile, teacher }: Lesson,
  scan: Scan,
  notes: readonly Finding[],
  options: RepairOptions,
): RepairOutcome {
  const { log, model, findings, scannedBytes } = scan;
  const timelines = buildTimelines(log, assignTracks(log, model.families, profile), profile);
  const codecs: string[] = [];
  model.families.forEach((family, index) => {
    for (const track of family.tracks) codecs[track] = model.parsers[index]?.codec ?? "unknown";
  });
  const startOffset = state.extents[0]?.startOffset ?? 0;
  const endOffset = log.offset(log.count - 1) + log.size(log.count - 1);
  const movie = buildMovie(profile, log, timelines);
  return {
    report: reportScan(profile, log, timelines, [...findings, ...notes], codecs, scannedBytes),
    layout: layOutput(damaged, { startOffset, endOffset }, movie, state.ftyp ?? teacher.ftyp, options.faststart ?? false),
  };
}
