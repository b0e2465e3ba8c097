import { execFileSync, spawnSync } from "node:child_process";

/** When pictures are shown by ffmpeg's own decoders, from the first one on. */
export function shownSeconds(path: string): readonly number[] {
  const options = ["-v", "error", "-allowed_extensions", "ALL", "-select_streams", "v:0"];
  const listing = ["-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0"];
  const own = path.endsWith(".m3u8") ? options : options.filter((option) => !/allowed|ALL/.test(option));
  const text = execFileSync("ffprobe", [...own, ...listing, path], {
    ...{ encoding: "utf8", maxBuffer: 1 << 26 },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const times: number[] = [];
  for (const line of text.split("\n")) {
    // AVI tells no time of the last picture; it stands one step behind the others.
    if (line.startsWith("N/A")) times.push(2 * (times.at(-1) ?? 0) - (times.at(-2) ?? 0));
    else if (/^-?\d/.test(line)) times.push(Number.parseFloat(line));
  }
  return times.map((time) => time - (times[0] ?? 0));
}

/** The mean loudness of a file's sound from a time on, in dB; NaN where there is none. */
export function loudness(path: string, fromSeconds = 0): number {
  const measure = ["-map", "0:a:0", "-af", `atrim=start=${fromSeconds},volumedetect`, "-f", "null", "-"];
  const { stderr } = spawnSync("ffmpeg", ["-nostdin", "-hide_banner", "-i", path, ...measure], { encoding: "utf8" });
  return Number(/mean_volume: (-?[\d.]+) dB/.exec(stderr)?.[1] ?? Number.NaN);
}
