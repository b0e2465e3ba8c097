import { execFileSync } from "node:child_process";
import { join } from "node:path";

const SECONDS = 20;
const RATE = 10;
/** Of a clip, and of what becomes of it. */
export const CLIP_PICTURES = SECONDS * RATE;

/** A recording with sound, of that size such as 192x108, long enough for several spans; how long a worker has at them is a matter of the size. */
export function makeClip(folder: string, size: string): string {
  const path = join(folder, `${size}.mp4`);
  const inputs = `-f lavfi -i testsrc2=s=${size}:r=${RATE}:d=${SECONDS} -f lavfi -i sine=d=${SECONDS}`.split(" ");
  execFileSync("ffmpeg", ["-v", "error", ...inputs, ..."-c:v libx264 -preset ultrafast -c:a aac".split(" "), path]);
  return path;
}

export function countPictures(path: string): number {
  const args = "-v error -select_streams v -count_frames -show_entries stream=nb_read_frames -of csv=p=0".split(" ");
  return Number.parseInt(execFileSync("ffprobe", [...args, path], { encoding: "utf8" }), 10);
}
