import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { encodeFile } from "./tools.ts";

/** Pictures per second of a source where nothing else is wished. */
export const FRAME_RATE = 30;

const SCENE_COUNT = 12;

/**
 * Scenes that differ in what moves and how much detail there is. `s` stands for the size and `d` for the length; the
 * slow generators work at 360p and are scaled up, the grain on top is each source's own.
 */
const SCENES: readonly string[] = [
  "mandelbrot=s=640x360:r=30:start_scale=2.5:end_scale=0.2:end_pts=150",
  "testsrc2=s={s}:r=30",
  "gradients=s=640x360:r=30:seed=11:speed=0.02:n=6",
  "life=s=160x90:r=30:mold=60:seed=7:ratio=0.15:life_color=white:death_color=#304080:mold_color=#a05020,scale=640:360,gblur=sigma=4",
  "mandelbrot=s=640x360:r=30:start_x=-0.745:start_y=0.11:start_scale=0.1:end_scale=0.01:end_pts=150",
  "cellauto=s=320x180:r=30:rule=110:random_seed=3:scroll=1,scale=640:360,gblur=sigma=3",
];

/**
 * Makes a source of 16:9, so high, of so many seconds and pictures per second, or finds it in `folder` from an earlier run. Rejects where ffmpeg
 * fails.
 */
export async function makeSource(
  folder: string,
  height: number,
  seconds: number,
  frameRate: number = FRAME_RATE,
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const width = (height * 16) / 9;
  const sceneSeconds = seconds / SCENE_COUNT;
  const scenes = Array.from({ length: SCENE_COUNT }, (_, index) => {
    const generator = (SCENES[index % SCENES.length] ?? "").replace("{s}", `${width}x${height}`);
    // The second time round a scene turns up turned over, darker and slowly drifting.
    const again = index < SCENES.length ? "" : ",hflip,eq=brightness=-0.08:saturation=0.7,hue=H=0.3*t";
    const cut = `trim=duration=${sceneSeconds},setpts=PTS-STARTPTS`;
    return `${generator}${again},scale=${width}:${height},setsar=1,format=yuv420p,${cut}[v${index}]`;
  });
  const labels = scenes.map((_, index) => `[v${index}]`).join("");
  const grain = "noise=alls=3:allf=t:all_seed=42";
  const pictures = `${scenes.join(";")};${labels}concat=n=${SCENE_COUNT},fps=${frameRate},${grain}`;
  const sound =
    "aevalsrc='0.25*sin(2*PI*t*(330+40*sin(t/2)))+0.05*random(0)|0.25*sin(2*PI*t*(440+60*sin(t/3)))+0.05*random(1)':s=48000";
  const inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound, "-t", String(seconds)];
  // Two threads, whatever the machine has: an encoder's output depends on it.
  const coding = "-c:v libx264 -preset veryfast -crf 18 -g 60 -threads 2 -pix_fmt yuv420p -c:a aac -b:a 192k".split(
    " ",
  );
  const key = createHash("sha256")
    .update([...inputs, ...coding].join(" "))
    .digest("hex")
    .slice(0, 10);
  const path = join(folder, `${height}p.${seconds}s.${key}.mp4`);
  if (!existsSync(path)) await encodeFile([...inputs, ...coding], path);
  return path;
}
