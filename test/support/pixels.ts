import { execFileSync } from "node:child_process";
import { TONE_MAP_FILTERS } from "../../src/ffmpeg/picture-filters.ts";

/** Luma and both chromas in the middle of a file's first picture, in 8 bits of the range that it has. */
export function middlePixel(path: string): readonly number[] {
  return filteredPixel(path, []);
}

/** The same, turned into BT.709: what becomes of colours that it lacks is up to the library that does it. */
export function tonedPixel(path: string): readonly number[] {
  return filteredPixel(path, [...TONE_MAP_FILTERS, "format=yuv420p"]);
}

function filteredPixel(path: string, before: readonly string[]): readonly number[] {
  const plane = (name: string): number => {
    const filters = [...before, `format=yuv444p|yuvj444p,crop=1:1,extractplanes=${name}`].join(",");
    const args = ["-nostdin", "-v", "error", "-i", path, "-vf", filters, "-frames:v", "1", "-f", "rawvideo", "pipe:1"];
    return execFileSync("ffmpeg", args)[0] ?? -1;
  };
  return ["y", "u", "v"].map(plane);
}

/** What a file's pictures say of their colours: matrix, transfer, primaries, range. */
export function colourTags(path: string): Readonly<Record<string, string>> {
  const fields = ["color_space", "color_transfer", "color_primaries", "color_range"];
  const entries = ["-select_streams", "v:0", "-show_entries", `stream=${fields.join()}`, "-of", "json"];
  const probed = execFileSync("ffprobe", ["-v", "error", ...entries, path], { encoding: "utf8" });
  const [stream] = JSON.parse(probed).streams;
  return Object.fromEntries(fields.flatMap((name) => (stream[name] === undefined ? [] : [[name, stream[name]]])));
}
