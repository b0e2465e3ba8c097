import { ReelmillError } from "../base/errors.ts";
import type { ByteSource } from "../media/bytes/byte-source.ts";
import { type FragmentFinding, type FragmentReading, readFragments } from "../media/isobmff/fragments.ts";
import type { Movie, Track } from "../media/isobmff/movie.ts";
import { SampleTableBuilder } from "../media/isobmff/sample-table-builder.ts";
import { type TopLevelBox, topLevelEndBytes } from "../media/isobmff/top-level.ts";
import type { Finding } from "./findings.ts";
import type { RepairOptions, RepairOutcome } from "./outcome.ts";
import { REFERENCE_ADVICE } from "./reference-advice.ts";
import { reportMovie } from "./report.ts";
import { salvageHoles } from "./salvage-fragments.ts";
import { fitsBytes, hasReadableConfiguration } from "./sample-check.ts";
import { fitEdits } from "./select-samples.ts";
import { showBeginning } from "./timing/beginning.ts";
import type { Triage } from "./triage.ts";
import { layOutput } from "./write/layout.ts";
import { dropHoles, placeOfSamples } from "./zero-holes.ts";

/** A movie to take the configuration of lost headers from. */
interface NamedMovie {
  readonly name: string;
  readonly movie: Movie;
  /** Whether it comes in fragments itself. */
  readonly isFragmented: boolean;
}

/** A fragmented file's samples as one plain movie; tracks without samples are kept. Reads no sample. */
export function joinFragments(source: ByteSource, boxes: readonly TopLevelBox[], movie: Movie): Movie {
  return placeFragments(movie, readFragments(source, boxes, movie));
}

function placeFragments(movie: Movie, reading: FragmentReading): Movie {
  const starts = reading.tracks.flatMap(({ samples, firstDecodeTimeTicks }, index) =>
    samples.sampleCount > 0 ? [firstDecodeTimeTicks / (movie.tracks[index]?.timescale ?? 1)] : [],
  );
  // A file cut out of a longer one starts late: only what the tracks start apart is kept.
  const startSeconds = Math.min(...starts);
  const tracks = movie.tracks.map((track, index): Track => {
    const own = reading.tracks[index];
    if (own === undefined || own.samples.sampleCount === 0) return { ...track, edits: [] };
    const leadTicks = own.firstDecodeTimeTicks - startSeconds * track.timescale;
    return { ...track, samples: own.samples, edits: joinedEdits(track, leadTicks, own.samples, movie.timescale) };
  });
  return plainMovie(movie, tracks);
}

/** Keeps the defaults of fragments: a reference's may be wanted. */
function plainMovie({ timescale, movieHeader, fragmentDefaults }: Movie, tracks: readonly Track[]): Movie {
  return { timescale, movieHeader, isFragmented: false, tracks, ...(fragmentDefaults ? { fragmentDefaults } : {}) };
}

/** The initial part's delay and first media time, run to the end of what the fragments hold. */
function joinedEdits(
  track: Track,
  leadTicks: number,
  samples: Track["samples"],
  movieTimescale: number,
): Track["edits"] {
  const media = track.edits.filter((edit) => edit.mediaTimeTicks >= 0);
  const open =
    media.length === 1
      ? track.edits.map((edit) => (edit.mediaTimeTicks >= 0 ? { ...edit, durationTicks: 0 } : edit))
      : track.edits;
  return fitEdits(
    { edits: open, samples, timescale: track.timescale, leadTicks: Math.round(leadTicks) },
    movieTimescale,
  );
}

/**
 * Repairs a fragmented file: whole fragments with their exact times, the whole samples of a broken one, as one plain
 * movie. Without its own initial `moov` the configuration comes from the first of `references` that fits. Undefined
 * where the file is not fragmented or no sample is found. Throws REFERENCE_REQUIRED where only the configuration lacks,
 * REFERENCE_MISMATCH where no reference has it.
 */
export async function repairFragments(
  damaged: ByteSource,
  state: Triage,
  references: readonly NamedMovie[],
  options: RepairOptions,
): Promise<RepairOutcome | undefined> {
  const own =
    state.movies.find(({ movie }) => movie.isFragmented) ?? (state.hasFragments ? state.movies[0] : undefined);
  if (own === undefined && !state.hasFragments && !references.some(({ isFragmented }) => isFragmented))
    return undefined;
  const found = own ? readWith(damaged, state, own.movie) : readWithReference(damaged, state, references);
  if (found === undefined) return undefined;
  const isDamaged = own === undefined || own.isHidden || found.reading.findings.length > 0;
  const within = placeOfSamples(found.movie, damaged.sizeBytes);
  const sound = await dropHoles(damaged, found.movie, { within, isDamaged, pause: options.onPause });
  const readHoles = found.reading.findings.filter(({ kind }) => kind === "hole");
  const holes = readHoles.map(({ byteStart, byteEnd }) => ({ startOffset: byteStart, endOffset: byteEnd }));
  const salvaged =
    holes.length > 0 && hasReadableConfiguration(sound.movie, damaged)
      ? await salvageHoles(damaged, sound.movie, holes, options.onProgress)
      : { movie: sound.movie, holes };
  const { movie } = salvaged;
  const used: Movie = { ...movie, tracks: movie.tracks.filter((track) => track.samples.sampleCount > 0) };
  if (used.tracks.length === 0) return undefined;
  const leftOf = new Map(readHoles.map((finding, index) => [finding, salvaged.holes[index]]));
  const told = found.reading.findings.map((finding) => {
    const left = leftOf.get(finding);
    return toFinding(damaged, left ? { ...finding, byteEnd: left.endOffset } : finding);
  });
  // Of several tracks cut at the same place one tells all.
  const findings = [...told.filter(({ startOffset, endOffset }) => endOffset > startOffset), ...sound.findings];
  findings.sort((a, b) => a.startOffset - b.startOffset || a.endOffset - b.endOffset);
  const isHealthy =
    own !== undefined &&
    !own.isHidden &&
    told.length + sound.findings.length === 0 &&
    topLevelEndBytes(state.boxes) >= damaged.sizeBytes;
  if (isHealthy) return { report: reportMovie("healthy", used, [], damaged.sizeBytes) };
  // Boxes between the first sample and the last become dead bytes of the one `mdat`.
  const payload = placeOfSamples(used, damaged.sizeBytes);
  return {
    report: reportMovie("fragmented", used, findings, damaged.sizeBytes),
    layout: layOutput(damaged, payload, used, state.ftyp, options.faststart ?? false),
  };
}

interface Found {
  readonly movie: Movie;
  readonly reading: FragmentReading;
}

function readWith(damaged: ByteSource, state: Triage, movie: Movie): Found | undefined {
  const reading = readFragments(damaged, state.boxes, movie);
  const sampleCount = reading.tracks.reduce((sum, track) => sum + track.samples.sampleCount, 0);
  return sampleCount > 0 ? { movie: placeFragments(movie, reading), reading } : undefined;
}

function readWithReference(damaged: ByteSource, state: Triage, references: readonly NamedMovie[]): Found | undefined {
  let hasSamples = false;
  for (const reference of references) {
    const movie = withoutSamples(showBeginning(reference.movie).movie);
    const found = readWith(damaged, state, movie) ?? readRenumbered(damaged, state, movie);
    if (found === undefined) continue;
    hasSamples = true;
    if (fitsBytes(found.movie, damaged)) return found;
  }
  if (hasSamples) {
    const names = references.map(({ name }) => name).join(", ");
    throw new ReelmillError(
      "REFERENCE_MISMATCH",
      `The fragments' packets are not of the codecs and settings of ${names}.`,
    );
  }
  if (!state.hasFragments || references.length > 0) return undefined;
  throw new ReelmillError(
    "REFERENCE_REQUIRED",
    "The file is a fragmented MP4 whose initial part with the codec configuration is lost.",
    { advice: REFERENCE_ADVICE },
  );
}

/** The configuration alone; the edits tell how the recorder delays its tracks. */
function withoutSamples(movie: Movie): Movie {
  const samples = new SampleTableBuilder(0).build();
  return { ...movie, tracks: movie.tracks.map((track) => ({ ...track, samples })) };
}

/** Fragments of tracks that the reference numbers otherwise: taken in the order of their numbers. */
function readRenumbered(damaged: ByteSource, state: Triage, movie: Movie): Found | undefined {
  const { findings } = readFragments(damaged, state.boxes, movie);
  const ids = new Set(
    findings.flatMap(({ kind, trackId }) => (kind === "fragment-broken" && trackId !== undefined ? [trackId] : [])),
  );
  const unknown = [...ids].filter((id) => movie.tracks.every((track) => track.trackId !== id)).sort((a, b) => a - b);
  if (unknown.length === 0) return undefined;
  const tracks = movie.tracks.map((track, index) => ({ ...track, trackId: unknown[index] ?? 0xffff_0000 + index }));
  return readWith(damaged, state, { ...movie, tracks });
}

function toFinding(damaged: ByteSource, { kind, byteStart, byteEnd, message }: FragmentFinding): Finding {
  const action = `${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.$/, "")}`;
  const range = { startOffset: byteStart, endOffset: byteEnd, action };
  if (kind === "fragment-cut") return { kind: "cut-packet", ...range };
  return { kind: kind === "hole" && startsWithZeros(damaged, byteStart) ? "zeros" : "lost", ...range };
}

function startsWithZeros(damaged: ByteSource, offset: number): boolean {
  const bytes = new Uint8Array(64);
  return bytes.subarray(0, damaged.read(offset, bytes)).every((byte) => byte === 0);
}
