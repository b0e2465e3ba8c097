import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileArgument } from "../../ffmpeg/arguments.ts";
import { runFfmpeg } from "../../ffmpeg/run.ts";
import type { ConversionPlan } from "./conversion.ts";
import type { FinishHooks } from "./encode-again.ts";
import { doOverlap, flattenCues, parseScript, serializeScript } from "./flatten-cues.ts";

/** More text than this is none that anybody reads: some hundred hours of it. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/**
 * Files of SubStation Alpha, in the source's times, of the subtitles whose cues overlap, by stream index: in MP4 a cue ends where the next one begins. It is
 * what ffmpeg decodes all text to, so that no mark is lost; times become hundredths of a second. Empty for other containers, which take the cues as
 * they are. Throws as `runFfmpeg`, and what the system throws.
 */
export async function flattenSubtitles(
  { subtitles, container }: ConversionPlan,
  inputPath: string,
  { tools, signal, workFolder }: FinishHooks,
): Promise<ReadonlyMap<number, string>> {
  const flattened = new Map<number, string>();
  if (container !== "mp4" || subtitles.length === 0) return flattened;
  const folder = await workFolder();
  const pathOf = (streamIndex: number): string => join(folder, `subtitles-${streamIndex}.ass`);
  await runFfmpeg(tools, {
    globalArguments: ["-copyts"],
    inputs: [{ path: inputPath, isRecording: true }],
    outputArguments: subtitles.flatMap(({ streamIndex }) => [
      ...["-map", `0:${streamIndex}`, "-c:s", "ass", "-f", "ass"],
      fileArgument(pathOf(streamIndex)),
    ]),
    mayTakeLong: true,
    signal,
  });
  for (const { streamIndex } of subtitles) {
    const path = pathOf(streamIndex);
    if (statSync(path).size > MAX_TEXT_BYTES) continue;
    const script = parseScript(readFileSync(path, "utf8"));
    if (script === undefined || !doOverlap(script.cues)) continue;
    writeFileSync(path, serializeScript({ ...script, cues: flattenCues(script.cues) }));
    flattened.set(streamIndex, path);
  }
  return flattened;
}
