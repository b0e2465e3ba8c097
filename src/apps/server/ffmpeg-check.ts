import type { Config } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { locateFfmpeg, locateProgram } from "../../ffmpeg/tools.ts";

const LOSS =
  "Until then repaired recordings are not decoded to check them, and Matroska, WebM, AVI and MPEG-TS files are not repaired.";

/** Throws CONFIG_INVALID where a setting names a program of ffmpeg's that is not there. */
export async function requireNamedFfmpeg({ ffmpeg, ffprobe }: Config, searchPath: string): Promise<void> {
  await requireNamed("REELMILL_FFMPEG", ffmpeg, "ffmpeg", searchPath);
  await requireNamed("REELMILL_FFPROBE", ffprobe, "ffprobe", searchPath);
}

async function requireNamed(variable: string, program: string, usual: string, searchPath: string): Promise<void> {
  if (program === usual) return;
  try {
    await locateProgram(program, variable, searchPath);
  } catch (error) {
    const place = program.includes("/") ? "at that path" : "on the PATH";
    const message = `${variable} is "${program}", but no program was found ${place}.`;
    throw new ReelmillError("CONFIG_INVALID", message, { cause: error });
  }
}

/** What is not done for want of ffmpeg and what to do, for people; undefined where it is there. */
export async function findFfmpegFault(config: Config, searchPath: string): Promise<string | undefined> {
  try {
    await locateFfmpeg(config, searchPath);
    return undefined;
  } catch (error) {
    if (!(error instanceof ReelmillError) || error.code !== "FFMPEG_MISSING") throw error;
    return `${error.message} ${LOSS}`;
  }
}
