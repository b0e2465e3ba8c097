import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Pictures of a second with a white square of as many square pixels as it is shown in, in the middle of grey. */
export interface Stretch {
  readonly width: number;
  readonly height: number;
  /** Width of a sample by its height. */
  readonly aspect: number;
  readonly square: number;
}

/** Joins stretches, each a second, into a file in the folder, packet by packet. */
export function makeChanging(folder: string, name: string, codec: string, stretches: readonly Stretch[]): string {
  const run = (args: readonly string[]): unknown => execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...args]);
  const extension = name.slice(name.lastIndexOf("."));
  const files = stretches.map(({ width, height, aspect, square }, index) => {
    const wide = Math.round(square / aspect);
    const box = `drawbox=x=${(width - wide) / 2}:y=${(height - square) / 2}:w=${wide}:h=${square}:c=white:t=fill`;
    const graph = `color=gray:s=${width}x${height}:r=10:d=1,${box},setsar=${aspect}:max=1000,format=yuv420p`;
    const part = join(folder, `part-${index}-${name.slice(0, -extension.length)}${extension}`);
    run(["-f", "lavfi", "-i", graph, "-c:v", ...codec.split(" "), part]);
    return part;
  });
  const list = join(folder, `${name}.txt`);
  writeFileSync(list, files.map((file) => `file '${file}'\n`).join(""));
  const path = join(folder, name);
  run(["-f", "concat", "-safe", "0", "-i", list, "-c", "copy", path]);
  return path;
}

/** Width by height of the white square at a time, as it is shown. */
export function squareAspect(path: string, seconds: number): number {
  const side = 200;
  const probe = ["-select_streams", "v:0", "-show_entries", "stream=display_aspect_ratio,width,height", "-of", "json"];
  const [stream] = JSON.parse(execFileSync("ffprobe", ["-v", "error", ...probe, path], { encoding: "utf8" })).streams;
  const [wide = stream.width, high = stream.height] = (stream.display_aspect_ratio ?? "").split(":").map(Number);
  const picture = ["-ss", String(seconds), "-i", path, "-vf", `scale=${side}:${side}`, "-frames:v", "1"];
  const output = [...picture, "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"];
  const pixels = execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...output]);
  const isWhite = (x: number, y: number): boolean => (pixels[y * side + x] ?? 0) > 190;
  const all = Array.from({ length: side }, (_, index) => index);
  const columns = all.filter((x) => all.some((y) => isWhite(x, y))).length;
  const rows = all.filter((y) => all.some((x) => isWhite(x, y))).length;
  return ((columns / rows) * wide) / high;
}
