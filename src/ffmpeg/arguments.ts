import { resolve } from "node:path";

/** Names standard input as an input of a run; the bytes are handed over with the run. */
export const PIPE = Symbol("standard input");

/** One input of an ffmpeg run. */
export interface FfmpegInput {
  readonly path: string | typeof PIPE;
  /** Options that stand before `-i`, such as `["-f", "concat"]`. */
  readonly options?: readonly string[] | undefined;
  /** Protocols the demuxer may open; default `file` and `pipe`. A local playlist needs `crypto` and `data` as well. */
  readonly protocols?: readonly string[] | undefined;
}

const DEFAULT_PROTOCOLS = ["file", "pipe"] as const;

/** Stands before all else in every run: no reading of the terminal, no banner. */
export const COMMON_ARGUMENTS: readonly string[] = ["-nostdin", "-hide_banner"];

/**
 * A path as ffmpeg takes it. The prefix and the absolute form keep a name that begins with `-` from being an option and one
 * with a colon (`http:…`, `concat:…`) from being a protocol.
 */
export function fileArgument(path: string): string {
  return `file:${resolve(path)}`;
}

/** The arguments of one input, protocol whitelist included: hostile files must not make ffmpeg open network addresses. */
export function inputArguments(input: FfmpegInput): readonly string[] {
  const protocols = (input.protocols ?? DEFAULT_PROTOCOLS).join(",");
  return [
    ...(input.options ?? []),
    "-protocol_whitelist",
    protocols,
    "-i",
    input.path === PIPE ? "pipe:0" : fileArgument(input.path),
  ];
}
