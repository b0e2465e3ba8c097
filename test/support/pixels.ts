import { execFileSync } from "node:child_process";
import { TONE_MAP_FILTERS } from "../../src/ffmpeg/picture-filters.ts";

/** Luma and both chromas in the middle of a file's first picture, in 8 bits of the range that it has. */
export function middlePixel(path: string): readonly number[] {
  return filteredPixel(path, []);
}

/** What BT.2020's pure green is toned to, which BT.709 lacks: by zimg 3.0.5, and by 3.0.6, which has no negative colours. */
const TONED_GREENS = [
  [144, 8, 0],
  [190, 32, 15],
];

/** That of them which the filters make of the first picture here. Throws where it is none of them. */
export function tonedGreen(path: string): readonly number[] {
  const pixel = filteredPixel(path, [...TONE_MAP_FILTERS, "format=yuv420p"]);
  const green = TONED_GREENS.find((known) => known.every((value, index) => Math.abs(value - (pixel[index] ?? 0)) <= 2));
  if (green === undefined) throw new Error(`${path} is toned to ${pixel}.`);
  return green;
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
