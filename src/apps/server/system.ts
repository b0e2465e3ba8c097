import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, totalmem } from "node:os";
import type { Config } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { detectFeatures } from "../../ffmpeg/features.ts";
import { locateFfmpeg } from "../../ffmpeg/tools.ts";
import type { SystemView } from "./dependencies.ts";

/** What is seen of the machine itself. */
type MachineView = Omit<SystemView, "settings">;

/** Decoders without which results cannot be checked. */
const WANTED_DECODERS = ["h264", "hevc", "aac"];

/** Reelmill's own version. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  return String((manifest as { readonly version: unknown }).version);
}

/** Gives a function that looks at the machine; ffmpeg is asked until it is found. */
export function createSystemView(config: Config, searchPath: string, dataFolder: string): () => Promise<MachineView> {
  let ffmpeg: Promise<MachineView["ffmpeg"]> | undefined;
  return async () => {
    ffmpeg ??= describeFfmpeg(config, searchPath);
    const found = await ffmpeg;
    if (found === null) ffmpeg = undefined;
    const disk = await statfs(dataFolder);
    return {
      version: readVersion(),
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
      freeMemoryBytes: freemem(),
      disk: { path: dataFolder, totalBytes: disk.blocks * disk.bsize, freeBytes: disk.bavail * disk.bsize },
      ffmpeg: found,
    };
  };
}

async function describeFfmpeg(config: Config, searchPath: string): Promise<MachineView["ffmpeg"]> {
  try {
    const tools = await locateFfmpeg(config, searchPath);
    const { version, encoders, decoders } = await detectFeatures(tools);
    const missing = WANTED_DECODERS.filter((name) => !decoders.has(name)).map((name) => `decoder ${name}`);
    return { version, path: tools.ffmpegPath, encoders: [...encoders].sort(), missing };
  } catch (error) {
    if (error instanceof ReelmillError && error.code.startsWith("FFMPEG_")) return null;
    throw error;
  }
}
