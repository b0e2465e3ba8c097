import type { Field } from "../../schema-form/fields.ts";
import { showWords } from "../../ui/formats.ts";

/** What the form says instead of the API's terms. */
type Words = Partial<Pick<Field, "label" | "hint" | "optionLabels">>;

/** Parameters that several pipelines have. */
const COMMON: Readonly<Record<string, Words>> = {
  outputPrefix: {
    label: "Folder of the results",
    hint: "Where they lie on the server, beginning with outputs/. Empty: a folder of the job's own.",
  },
};

const BY_PIPELINE: Readonly<Record<string, Readonly<Record<string, Words>>>> = {
  repair: {
    inputs: { label: "Damaged recordings" },
    references: { label: "Healthy references" },
    engine: {
      label: "Repair program",
      hint: "Automatic: Reelmill itself, then the program untrunc where that fails and is installed.",
      optionLabels: { auto: "Automatic", native: "Reelmill itself", untrunc: "untrunc" },
    },
    verify: {
      label: "Check of the result",
      optionLabels: { none: "None", quick: "Quick", full: "Every picture" },
    },
    faststart: { label: "For playing over a network" },
  },
  convert: {
    input: { label: "Recording" },
    to: {
      label: "Convert to",
      optionLabels: { h264: "H.264 (MP4)", hevc: "HEVC (MP4)", vp9: "VP9 (WebM)", av1: "AV1 (WebM)" },
    },
    speed: {
      hint: "Fast: nearly the same quality in a fraction of the time.",
      optionLabels: { standard: "Standard", fast: "Fast" },
    },
    quality: { hint: "Less is better. Empty: 23 for H.264, 28 for HEVC, 30 for VP9 and AV1." },
    targetQuality: { label: "Likeness to aim at", hint: "SSIM such as 0.98, or VMAF such as 95. In place of quality." },
    targetSize: { label: "Greatest file size", hint: "Such as 700MB. In place of quality." },
    score: { label: "Compare the result with the source" },
    height: { label: "Greatest height", hint: "In pixels. Smaller pictures stay as they are." },
    width: { label: "Greatest width", hint: "In pixels. Smaller pictures stay as they are." },
    upscale: { label: "Enlarge smaller pictures" },
    reencode: { label: "Encode again what fits already" },
    toneMap: { label: "HDR to standard range" },
    audio: { label: "Sound", optionLabels: { auto: "Automatic", copy: "As it is", none: "None" } },
    audioTracks: { label: "Sound tracks" },
    audioBitrate: { label: "Bit rate of the sound" },
    bitDepth: { optionLabels: { source: "As the source", "8": "8 bits", "10": "10 bits" } },
    verify: {
      label: "Check of the result",
      hint: "Number and times of the pictures, or besides every picture and sound decoded.",
      optionLabels: { none: "None", quick: "Number and times", full: "Everything" },
    },
  },
  hls: {
    input: { label: "Recording" },
    speed: {
      hint: "Fast: nearly the same quality in a fraction of the time.",
      optionLabels: { standard: "Standard", fast: "Fast" },
    },
    segments: {
      label: "Media files",
      hint: "How the package lies on a web server. One file for each quality needs a server that knows byte ranges; nearly all do.",
      optionLabels: { "single-file": "One for each quality", separate: "One for each six seconds" },
    },
    audio: {
      label: "Sound",
      hint: "Each track with its language, and as surround where it is.",
      optionLabels: { auto: "All tracks", none: "None" },
    },
    deinterlace: {
      label: "Join interlaced fields",
      hint: "Automatic: where the recording says that it has them.",
      optionLabels: { auto: "Automatic", on: "Always", off: "Never" },
    },
    hdr: {
      label: "High dynamic range",
      hint: "Kept in HEVC qualities where there are H.264 ones for players that cannot show it.",
      optionLabels: { auto: "Automatic", off: "None" },
    },
    subtitles: { hint: "Those that are text.", optionLabels: { keep: "Keep", drop: "Leave out" } },
    encryptKey: {
      label: "Key to encrypt with",
      hint: "The name of one of the server's keys. Empty: nothing is encrypted.",
    },
    encryptKeyUri: { label: "Address of the key", hint: "Where players fetch it. Goes with the key." },
    encryptMethod: {
      label: "What is encrypted",
      hint: "With a key alone. Pictures and sound within the files: not every player can play them, this page's cannot.",
      optionLabels: { "aes-128": "Whole files, of six seconds each", "sample-aes": "Pictures and sound within them" },
    },
    thumbnails: { label: "Poster and thumbnails", hint: "Small pictures to find a place by." },
    ladder: {
      label: "Qualities of your own",
      hint: 'As JSON, such as {"rungs":[{"height":720,"kbps":2500},{"height":360,"kbps":600}]}. Empty: up to nine, as Apple advises, none larger than the recording.',
    },
  },
};

/** What a pipeline is called; those that are missing have their own names. */
const PIPELINES: Readonly<Record<string, string>> = { hls: "HLS package" };

/** Parameters that few change: they are folded away. */
const RARE: ReadonlySet<string> = new Set([
  ...["outputPrefix", "engine", "preset", "width", "upscale", "frameRate", "bitDepth", "hardware", "reencode"],
  ...["deinterlace", "toneMap", "audioBitrate", "audioTracks", "targetQuality", "score", "ladder", "hdr"],
  ...["encryptKey", "encryptKeyUri", "encryptMethod"],
]);

/** Parameters that the batch API sets, for programs. */
const UNOFFERED: ReadonlySet<string> = new Set(["keptReferences", "batch"]);

/** Whether people are asked for it. */
export function isOffered({ name }: Field): boolean {
  return !UNOFFERED.has(name);
}

/** A field of a pipeline in the words of who films; what has none keeps its own. */
export function putPlainly(field: Field, pipeline: string): Field {
  return { ...field, ...COMMON[field.name], ...BY_PIPELINE[pipeline]?.[field.name] };
}

/** A pipeline in plain words, within a sentence. */
export function namePipeline(name: string): string {
  return PIPELINES[name] ?? name;
}

/** As `namePipeline`, by itself. */
export function titlePipeline(name: string): string {
  return PIPELINES[name] ?? showWords(name);
}

/** Whether few change it. */
export function isRare({ name }: Field): boolean {
  return RARE.has(name);
}
