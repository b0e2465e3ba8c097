import { COMMON_ARGUMENTS } from "./arguments.ts";
import { runProcess } from "./process.ts";
import { requireSuccess } from "./run.ts";
import type { FfmpegTools } from "./tools.ts";

const LIST_TIMEOUT_MS = 20_000;

/** What this build of ffmpeg can do. */
export interface FfmpegFeatures {
  /** As the program prints it, such as `5.1.7-0+deb12u1`; `unknown` where it prints none. */
  readonly version: string;
  readonly encoders: ReadonlySet<string>;
  readonly decoders: ReadonlySet<string>;
  readonly filters: ReadonlySet<string>;
}

async function readList(tools: FfmpegTools, option: string, signal: AbortSignal | undefined): Promise<string> {
  const timeoutMs = Math.min(tools.timeoutMs, LIST_TIMEOUT_MS);
  const result = await runProcess(tools.ffmpegPath, [...COMMON_ARGUMENTS, option], { timeoutMs, signal });
  requireSuccess("ffmpeg", result);
  return result.output.toString("utf8");
}

/** Names in a list of ffmpeg's: each line is a column of flags, the name, then prose. The legend above it has ` = `. */
function parseNames(list: string): ReadonlySet<string> {
  const names = [...list.matchAll(/^ [A-Z.|]{2,6} +([A-Za-z0-9_-]+) /gm)].map((match) => match[1] ?? "");
  return new Set(names);
}

/** What this ffmpeg has of a kind, by its names. Throws as `detectFeatures`. */
export async function listFeatures(
  tools: FfmpegTools,
  kind: "encoders" | "decoders" | "filters",
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  return parseNames(await readList(tools, `-${kind}`, signal));
}

/** As `FfmpegFeatures` has it. Throws as `detectFeatures`. */
export async function readVersion(tools: FfmpegTools, signal?: AbortSignal): Promise<string> {
  return /^ffmpeg version (\S+)/m.exec(await readList(tools, "-version", signal))?.[1] ?? "unknown";
}

/** Asks ffmpeg for its version, codecs and filters. Throws FFMPEG_MISSING, FFMPEG_FAILED, FFMPEG_TIMEOUT, ABORTED. */
export async function detectFeatures(tools: FfmpegTools, signal?: AbortSignal): Promise<FfmpegFeatures> {
  const [version, encoders, decoders, filters] = await Promise.all([
    readVersion(tools, signal),
    listFeatures(tools, "encoders", signal),
    listFeatures(tools, "decoders", signal),
    listFeatures(tools, "filters", signal),
  ]);
  return { version, encoders, decoders, filters };
}
