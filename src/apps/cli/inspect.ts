import { openFileSource } from "../../base/file-source.ts";
import { printableJson, printableLine } from "../../base/printable.ts";
import { formatBytes, formatCount, formatMediaSeconds } from "../../base/units.ts";
import { requireFfmpeg } from "../../ffmpeg/programs.ts";
import { dumpBoxes } from "../../media/isobmff/dump.ts";
import {
  type DamageNote,
  findContainerDamage,
  findDamage,
  type RemuxedContainer,
  remuxedContainerOf,
  undoUnfinishedRepair,
} from "../../pipelines/repair/index.ts";
import { triage } from "../../repair/triage.ts";
import type { CliContext } from "./cli-context.ts";
import type { InspectCommandOptions } from "./command-options.ts";
import { EXIT_OK } from "./exit-codes.ts";
import { type Inspection, inspectMovie } from "./inspection.ts";
import { formatTable } from "./table.ts";

type Source = ReturnType<typeof openFileSource>;

/**
 * Shows what a file holds, as text or JSON; the file is not changed. Gives 0, whatever state the file is in. Throws
 * INPUT_NOT_FOUND, INPUT_IS_DIRECTORY, INPUT_SYMLINK_LOOP, INPUT_UNREADABLE, INPUT_EMPTY, and for Matroska, AVI and MPEG-TS
 * FFMPEG_MISSING, FFMPEG_FAILED, ABORTED.
 */
export async function runInspectCommand(
  file: string,
  options: InspectCommandOptions,
  context: CliContext,
): Promise<number> {
  const source = openFileSource(file);
  try {
    const container = remuxedContainerOf(source);
    const inspection =
      container === undefined ? inspectBoxes(source) : await inspectWithFfprobe(source, container, context);
    if (options.json) context.writeOutput(`${printableJson(inspection)}\n`);
    else context.writeOutput(formatInspection(inspection));
    return EXIT_OK;
  } finally {
    source.close();
  }
}

const CHECKED_INDEX = "its boxes and whether what its index lists lies within it; the samples themselves were not read";
const CHECKED_BYTES =
  "its first bytes, and whether boxes stand in it; packets that lie bare, as `reelmill repair -r` finds them, were not looked for";

function inspectBoxes(source: Source): Inspection {
  const state = triage(source);
  const notes = [...findDamage(source, state)];
  const unfinished = undoUnfinishedRepair(source.path, true);
  if (unfinished !== undefined) notes.unshift({ kind: "damage", text: unfinished });
  const movie = state.movies.at(-1)?.movie;
  return {
    schema: 1,
    file: source.path,
    bytes: source.sizeBytes,
    container: state.container,
    boxes: state.container === "isobmff" ? dumpBoxes(source).trimEnd().split("\n") : [],
    ...(movie === undefined ? { tracks: [], interleave: [] } : inspectMovie(source, state, movie)),
    notes,
    checked: state.container === "isobmff" ? CHECKED_INDEX : CHECKED_BYTES,
  };
}

async function inspectWithFfprobe(
  source: Source,
  container: RemuxedContainer,
  context: CliContext,
): Promise<Inspection> {
  const [tools, { probeMedia }] = await Promise.all([
    requireFfmpeg(context.environment),
    import("../../ffmpeg/probe.ts"),
  ]);
  const media = await probeMedia(tools, source.path, context.signal);
  const noDuration: readonly DamageNote[] =
    media.durationSeconds === undefined
      ? [{ kind: "damage", text: "its header tells no length: the recording was probably not finished" }]
      : [];
  return {
    schema: 1,
    file: source.path,
    bytes: source.sizeBytes,
    container,
    boxes: [],
    tracks: media.streams.map((stream) => ({
      trackId: stream.index + 1,
      handler: stream.kind,
      codec: stream.codec,
      samples: stream.frames ?? null,
      keyframes: null,
      durationSeconds: stream.durationSeconds ?? media.durationSeconds ?? null,
      bytes: null,
      sampleBytes: null,
    })),
    interleave: [],
    notes: [...findContainerDamage(source, container), ...noDuration],
    checked: "the sizes in its headers against its length; its packets were not read",
  };
}

function formatInspection(inspection: Inspection): string {
  const { boxes, interleave, notes, checked } = inspection;
  const heading = `${inspection.file}: ${nameContainer(inspection.container)}, ${formatBytes(inspection.bytes)} (${formatCount(inspection.bytes, "byte")})`;
  const sections = [`${printableLine(heading)}\n`];
  if (boxes.length > 0) sections.push(`${boxes.map(printableLine).join("\n")}\n`);
  if (inspection.tracks.length > 0) sections.push(formatTracks(inspection.tracks));
  if (interleave.length > 0) sections.push(`${interleave.map(printableLine).join("\n")}\n`);
  const found = notes.map(({ kind: severity, text }) => `${severity}: ${printableLine(text)}\n`).join("");
  sections.push(`${found === "" ? "no damage found\n" : found}checked: ${checked}\n`);
  return sections.join("\n");
}

function nameContainer(container: Inspection["container"]): string {
  if (container === "isobmff") return "MP4/MOV";
  return container === "unknown" ? "no recording of a known kind" : container;
}

function formatTracks(tracks: Inspection["tracks"]): string {
  const figure = (value: number | null): string => (value === null ? "" : String(value));
  const columns = [
    { title: "track", align: "right" },
    { title: "handler" },
    { title: "codec" },
    { title: "samples", align: "right" },
    { title: "key", align: "right" },
    { title: "duration", align: "right" },
    { title: "data", align: "right" },
    { title: "sample sizes" },
  ] as const;
  const rows = tracks.map((track) => [
    String(track.trackId),
    track.handler,
    track.codec,
    figure(track.samples),
    figure(track.keyframes),
    track.durationSeconds === null ? "" : formatMediaSeconds(track.durationSeconds),
    track.bytes === null ? "" : formatBytes(track.bytes),
    track.sampleBytes === null
      ? ""
      : `${track.sampleBytes.min}–${track.sampleBytes.max}, mean ${track.sampleBytes.mean}`,
  ]);
  return formatTable(columns, rows);
}
