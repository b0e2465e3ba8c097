import { execFileSync } from "node:child_process";
import { rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { ReelmillError } from "../../src/base/errors.ts";
import { largestMdat, readLayout } from "./layout.ts";
import { loopRecording } from "./loop.ts";

/**
 * Makes `damaged.mp4` of so many bytes or some more, a recording in H.264 and AAC without its index, and `reference.mp4`, a short one with
 * the same settings. Throws where ffmpeg fails.
 */
export function makeLongRecording(folder: string, bytes: number): void {
  const at = (name: string): string => join(folder, name);
  const encode = (name: string, seconds: number, picture: string): void => {
    const inputs = ["-f", "lavfi", "-i", `${picture}=size=1920x1080:rate=30`, "-f", "lavfi", "-i", "sine=440:r=48000"];
    const codecs = "-c:v libx264 -preset ultrafast -b:v 14M -bf 0 -g 60 -pix_fmt yuv420p -c:a aac -b:a 192k".split(" ");
    execFileSync("ffmpeg", ["-v", "error", "-y", ...inputs, "-t", String(seconds), ...codecs, at(name)]);
  };
  encode("reference.mp4", 4, "testsrc2");
  encode("seed.mp4", 10, "mandelbrot");
  loopRecording(at("seed.mp4"), at("damaged.mp4"), Math.ceil(bytes / statSync(at("seed.mp4")).size));
  rmSync(at("seed.mp4"));
  const layout = readLayout(at("damaged.mp4"));
  if (layout.kind !== "mp4") throw new ReelmillError("INTERNAL", "The recording made is no MP4.");
  const mdat = largestMdat(layout.boxes);
  truncateSync(at("damaged.mp4"), mdat.offset + mdat.sizeBytes);
}
