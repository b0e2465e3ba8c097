import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeRecording, type RecordingRecipe } from "../support/make-recording.ts";
import { mapBoxes } from "./box-map.ts";

/** A small recording that mutants are made of, and the healthy recording that a repair of it is given. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly reference: Uint8Array;
}

const X264 = "-c:v libx264 -preset veryfast -g 10 -b:v 200k -pix_fmt yuv420p";
const AAC = "-c:a aac -b:a 64k";

/** Every container path and codec, each some ten to two hundred kilobytes. */
const RECIPES: Readonly<Record<string, RecordingRecipe>> = {
  "h264-aac": { extension: "mp4", args: `${X264} -bf 2 ${AAC}` },
  "h264-aac-faststart": { extension: "mp4", args: `${X264} -bf 2 ${AAC} -movflags +faststart` },
  "h264-aac-fragments": { extension: "mp4", args: `${X264} -bf 0 ${AAC} -movflags frag_keyframe+empty_moov` },
  "h264-aac-dash": {
    extension: "mp4",
    args: `${X264} -bf 2 ${AAC} -movflags frag_keyframe+empty_moov+default_base_moof+separate_moof`,
  },
  "h264-slices-2aac": { extension: "mp4", args: `-map 0:v -map 1:a -map 1:a ${X264} -slices 4 ${AAC}` },
  "h264-pcm": { extension: "mov", args: `${X264} -bf 2 -c:a pcm_s16le -timecode 01:00:00:00`, durationSeconds: 0.6 },
  "h264-mp3": { extension: "mp4", args: `${X264} -bf 0 -c:a libmp3lame -b:a 64k` },
  "h264-ac3": { extension: "mp4", args: `${X264} -bf 0 -c:a ac3 -b:a 96k` },
  "h264-eac3": { extension: "mp4", args: `${X264} -bf 0 -c:a eac3 -b:a 96k` },
  "h264-alac": { extension: "mov", args: `${X264} -bf 0 -c:a alac`, durationSeconds: 0.6 },
  "h264-flac": { extension: "mp4", args: `${X264} -bf 0 -c:a flac -strict -2`, durationSeconds: 0.6 },
  "hevc-aac": {
    extension: "mp4",
    args: `-c:v libx265 -preset superfast -x265-params log-level=none:keyint=10 -b:v 150k -tag:v hvc1 ${AAC}`,
  },
  "av1-opus": {
    extension: "mp4",
    args: "-c:v libsvtav1 -preset 12 -b:v 100k -g 10 -c:a libopus -b:a 48k -strict -2",
  },
  "vp9-opus": {
    extension: "mp4",
    args: "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 100k -c:a libopus -b:a 48k -strict -2",
  },
  "mpeg4-aac": { extension: "mp4", args: `-c:v mpeg4 -b:v 150k -g 10 -bf 1 ${AAC}` },
  "prores-pcm": { extension: "mov", args: "-c:v prores_ks -profile:v 0 -c:a pcm_s16be", durationSeconds: 0.3 },
  "mjpeg-pcm": { extension: "mov", args: "-c:v mjpeg -q:v 12 -pix_fmt yuvj420p -c:a pcm_s16le", durationSeconds: 0.4 },
  "dnxhd-pcm": {
    extension: "mov",
    args: "-c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p -c:a pcm_s24le",
    durationSeconds: 0.2,
    widthPixels: 256,
    heightPixels: 144,
  },
  "h264-aac-mkv": { extension: "mkv", args: `${X264} ${AAC}` },
  "mjpeg-pcm-avi": {
    extension: "avi",
    args: "-c:v mjpeg -q:v 12 -pix_fmt yuvj420p -c:a pcm_s16le",
    durationSeconds: 0.4,
  },
  "h264-aac-ts": { extension: "ts", args: `${X264} ${AAC}` },
};

/** Names of all recordings that seeds are made of. */
export const RECORDING_NAMES: readonly string[] = Object.keys(RECIPES);

/**
 * Makes the seeds of the named recordings: each as it is and, where it has an `mdat`, without its index, cut short,
 * and with a hole. ffmpeg makes a recording once and keeps it in the system's temporary folder.
 */
export function makeSeeds(names: readonly string[] = RECORDING_NAMES): Seed[] {
  const folder = join(tmpdir(), "reelmill-fuzz");
  return names.flatMap((name) => {
    const recipe = RECIPES[name];
    if (recipe === undefined)
      throw new RangeError(`No recording is named ${name}; there are ${RECORDING_NAMES.join(", ")}.`);
    return variants(name, makeRecording(folder, recipe));
  });
}

function variants(name: string, reference: Uint8Array): Seed[] {
  const seeds: Seed[] = [{ name, bytes: reference, reference }];
  const top = mapBoxes(reference);
  const mdat = top.find((box) => box.type === "mdat");
  if (mdat === undefined) return seeds;
  const cut = reference.slice(0, mdat.offset + Math.floor(mdat.sizeBytes * 0.6));
  seeds.push({ name: `${name}:cut`, bytes: cut, reference });
  if (top.some((box) => box.type === "moof")) return seeds;
  const bare = reference.slice(mdat.offset, mdat.offset + mdat.sizeBytes);
  bare.fill(0, 0, 4);
  seeds.push({ name: `${name}:bare`, bytes: bare, reference });
  const holed = bare.slice();
  holed.fill(0, Math.floor(bare.length * 0.5), Math.floor(bare.length * 0.6));
  seeds.push({ name: `${name}:hole`, bytes: holed, reference });
  return seeds;
}
