import { execFileSync } from "node:child_process";

const WIDTH = 320;

/** Makes a recording of greys that rise from 0 on the left to 255 on the right, marked as of full range. */
export function makeFullRamp(path: string, codec: string): void {
  const ramp = `geq=lum='floor(X*256/${WIDTH})':cb=128:cr=128`;
  // The mark of pictures tells ffmpeg 9 that none have to be changed; 5.1 reads that of the encoder.
  const pictures = [
    "-f",
    "lavfi",
    "-i",
    `color=gray:s=${WIDTH}x180:r=10:d=1,format=yuv420p,${ramp},setparams=range=pc`,
  ];
  const coding = ["-color_range", "pc", "-c:v", ...codec.split(" ")];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...pictures, ...coding, path]);
}

/** By how much the first picture of a file, of any size, is at most off the ramp in limited range. */
export function offLimitedRamp(path: string): number {
  const plane = [
    "-vf",
    `format=yuv420p|yuvj420p,extractplanes=y,scale=${WIDTH}:180`,
    "-frames:v",
    "1",
    "-f",
    "rawvideo",
    "pipe:1",
  ];
  const line = execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-i", path, ...plane]).subarray(0, WIDTH);
  // At its ends, scaling looks beyond it.
  const off = [...line].map((value, x) => Math.abs(value - (16 + (219 / 256) * ((x * 256) / WIDTH))));
  return Math.max(...off.slice(4, -4));
}
