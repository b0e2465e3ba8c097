import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";

/** A small recording that ffmpeg makes of a test picture and a tone. */
export interface RecordingRecipe {
  /** File name extension without the dot; chooses the container. */
  readonly extension: string;
  /** Codec and container arguments, as one string split at blanks. */
  readonly args: string;
  /** Default 1.2 s. */
  readonly durationSeconds?: number;
  /** Default 96×80, which every encoder here takes. */
  readonly widthPixels?: number;
  readonly heightPixels?: number;
}

/**
 * Makes the recording in `folder`, or finds it there from an earlier call with the same recipe, and returns its
 * bytes. Throws where ffmpeg is missing or refuses.
 */
export function makeRecording(folder: string, recipe: RecordingRecipe): Uint8Array {
  const { extension, durationSeconds = 1.2, widthPixels = 96, heightPixels = 80 } = recipe;
  const inputs = [
    ...["-f", "lavfi", "-i", `testsrc2=s=${widthPixels}x${heightPixels}:r=25`],
    ...["-f", "lavfi", "-i", "aevalsrc='0.2*sin(2*PI*t*440)+0.02*random(0)|0.2*sin(2*PI*t*550)':s=48000"],
    ...["-t", String(durationSeconds), ...recipe.args.split(" "), "-threads", "1"],
  ];
  const key = createHash("sha256").update(inputs.join(" ")).digest("hex").slice(0, 12);
  const path = join(folder, `${key}.${extension}`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const partial = join(folder, `${key}.${process.pid}.partial.${extension}`);
    const args = ["-hide_banner", "-nostdin", "-y", "-v", "error", ...inputs, partial];
    // Encoders of AV1 talk to stderr on their own.
    execFileSync("ffmpeg", args, { stdio: ["ignore", "pipe", "pipe"] });
    renameSync(partial, path);
  }
  return new Uint8Array(readFileSync(path));
}
