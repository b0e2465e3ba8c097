import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { ReelmillError } from "../base/errors.ts";

/** Where the two programs lie and how long one run of either may take. */
export interface FfmpegTools {
  /** Absolute path. */
  readonly ffmpegPath: string;
  /** Absolute path. */
  readonly ffprobePath: string;
  /** Bound on one run, in milliseconds, > 0. */
  readonly timeoutMs: number;
}

/** What `locateFfmpeg` looks for; the fields are those of the configuration. */
export interface FfmpegSettings {
  /** A path (when it holds a separator) or a name to look up on the PATH. */
  readonly ffmpeg: string;
  /** As `ffmpeg`. */
  readonly ffprobe: string;
  /** In milliseconds, > 0. */
  readonly ffmpegTimeoutMs: number;
}

const LONG_MS = 24 * 3600_000;

/** The tools for runs that read all of a file, which may take long. */
export function patient(tools: FfmpegTools): FfmpegTools {
  return { ...tools, timeoutMs: Math.max(tools.timeoutMs, LONG_MS) };
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Finds a program of ffmpeg's; the message of FFMPEG_MISSING names the program and the variable. */
export async function locateProgram(program: string, variable: string, searchPath: string): Promise<string> {
  const isName = !program.includes("/");
  const folders = searchPath.split(delimiter).filter((folder) => folder !== "");
  const candidates = isName ? folders.map((folder) => join(folder, program)) : [program];
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return resolve(candidate);
  }
  const place = isName ? "on the PATH" : "at that path";
  const hint = `Install ffmpeg (Debian/Ubuntu: apt-get install ffmpeg; macOS: brew install ffmpeg) or set ${variable}.`;
  throw new ReelmillError("FFMPEG_MISSING", `No program "${program}" was found ${place}. ${hint}`);
}

/**
 * Finds both programs; `searchPath` is the PATH variable's value. Throws FFMPEG_MISSING naming the program and the setting
 * that points to it.
 */
export async function locateFfmpeg(settings: FfmpegSettings, searchPath: string): Promise<FfmpegTools> {
  const ffmpegPath = await locateProgram(settings.ffmpeg, "REELMILL_FFMPEG", searchPath);
  const ffprobePath = await locateProgram(settings.ffprobe, "REELMILL_FFPROBE", searchPath);
  return { ffmpegPath, ffprobePath, timeoutMs: settings.ffmpegTimeoutMs };
}
