import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { defaultConfigFor, type Environment } from "../base/config-defaults.ts";
import { ReelmillError } from "../base/errors.ts";
import { type FfmpegTools, locateFfmpeg } from "./tools.ts";

/** Finds ffmpeg and ffprobe as the environment says. Throws FFMPEG_MISSING, CONFIG_INVALID. */
export async function requireFfmpeg(environment: Environment): Promise<FfmpegTools> {
  // The schema is loaded only where there is something to check: it would be half of a short repair's start.
  const config = defaultConfigFor(environment) ?? (await import("../base/config.ts")).loadConfig(environment);
  return await locateFfmpeg(config, environment["PATH"] ?? "");
}

/** As `requireFfmpeg`, but undefined where it is not installed. */
export async function findFfmpeg(environment: Environment): Promise<FfmpegTools | undefined> {
  try {
    return await requireFfmpeg(environment);
  } catch (error) {
    if (error instanceof ReelmillError && error.code === "FFMPEG_MISSING") return undefined;
    throw error;
  }
}

/** The path of a program on the PATH, or undefined. */
export async function findProgram(name: string, environment: Environment): Promise<string | undefined> {
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const folder of folders) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
