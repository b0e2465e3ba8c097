import { z } from "zod";
import { ReelmillError } from "../base/errors.ts";
import { runFfprobeJson } from "./probe.ts";
import type { FfmpegTools } from "./tools.ts";

const PROBE_TIMEOUT_MS = 120_000;

/** A ratio as ffmpeg writes it, both whole numbers, the lower one > 0. */
export interface Ratio {
  readonly numerator: number;
  readonly denominator: number;
}

/** Ticks of a time base in seconds. */
export function secondsOf(ticks: number, { numerator, denominator }: Ratio): number {
  return (ticks * numerator) / denominator;
}

/** Seconds in ticks of a time base, not rounded. */
export function ticksOf(seconds: number, { numerator, denominator }: Ratio): number {
  return (seconds * denominator) / numerator;
}

/** Colour as ITU-T H.273 names it, in ffmpeg's words; undefined where the stream does not say. */
export interface ColourTags {
  readonly range: string | undefined;
  readonly matrix: string | undefined;
  readonly transfer: string | undefined;
  readonly primaries: string | undefined;
}

/** What a track may be for besides listening and reading, as ffmpeg names the dispositions: commentary, for those who do not hear, for those who do not see. */
export const TRACK_PURPOSES = ["comment", "hearing_impaired", "visual_impaired"] as const;
export type TrackPurpose = (typeof TRACK_PURPOSES)[number];

/** Whether pictures are of one moment or of two, a field each; headers alone tell what the first ones are. */
export type Scan = "progressive" | "interlaced" | "mixed" | "unknown";

interface StreamBase {
  /** Position in the file, from 0. */
  readonly index: number;
  /** ffmpeg's name. */
  readonly codec: string;
  /** ISO 639-2; undefined where it is not told. */
  readonly language: string | undefined;
  readonly title: string | undefined;
  readonly isDefault: boolean;
  readonly purposes: readonly TrackPurpose[];
  readonly timeBase: Ratio;
  /** Presentation time of the first packet in seconds, as the container tells it. */
  readonly startSeconds: number | undefined;
  readonly durationSeconds: number | undefined;
}

/** A stream of pictures. */
export interface VideoStream extends StreamBase {
  /** As coded, before rotation. */
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly pixelFormat: string;
  readonly bitDepth: 8 | 10 | 12 | 16;
  /** Whether the container stores how long pictures last; of others ffmpeg tells it by the rate that the codec gives. */
  readonly tellsDurations: boolean;
  /** Of one sample; 1:1 where nothing is told. */
  readonly sampleAspect: Ratio;
  /** Clockwise turn that shows it upright: 0, 90, 180 or 270. */
  readonly rotationDegrees: number;
  readonly scan: Scan;
  /** Whether samples tell how far they let through what lies behind, which may be nothing. */
  readonly hasAlphaSamples: boolean;
  /** Whether something may be let through; of VP8 and VP9 by the container, for ffmpeg decodes it with libvpx alone. */
  readonly hasTransparency: boolean;
  /** Mean over the whole stream; undefined where the container does not tell. */
  readonly frameRate: Ratio | undefined;
  readonly colour: ColourTags;
  /** Whether its transfer function is one of high dynamic range (PQ or HLG). */
  readonly isHdr: boolean;
  /** SMPTE ST 2086, as x265 takes it: `G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)`. */
  readonly masteringDisplay: string | undefined;
  /** Maximum content and frame-average light levels in cd/m², `1000,400`. */
  readonly contentLight: string | undefined;
}

/** A stream of sound. */
export interface AudioStream extends StreamBase {
  /** Among the file's streams of sound, from 0. */
  readonly position: number;
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly channelLayout: string | undefined;
}

/** A stream of subtitles. */
export interface SubtitleStream extends StreamBase {
  /** Whether ffmpeg makes other text of it; pictures (DVD, Blu-ray, DVB) are none. */
  readonly isText: boolean;
  /** Whether it is to be shown unasked, such as where foreign speech is translated. */
  readonly isForced: boolean;
}

/** What a file holds, by its headers: probed once for a job. */
export interface MediaManifest {
  /** ffmpeg's names of the container, comma-separated. */
  readonly format: string;
  readonly durationSeconds: number | undefined;
  /** Earliest presentation time of any stream. */
  readonly startSeconds: number;
  readonly video: readonly VideoStream[];
  readonly audio: readonly AudioStream[];
  readonly subtitles: readonly SubtitleStream[];
  readonly chapterCount: number;
  /** Attached pictures, such as a cover, and streams that are neither pictures, sound, subtitles nor the names of chapters. */
  readonly otherStreamCount: number;
}

const TEXT_SUBTITLES: ReadonlySet<string> = new Set(["subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"]);
const HDR_TRANSFERS: readonly string[] = ["smpte2084", "arib-std-b67"];

const number = z.coerce.number().optional().catch(undefined);
const text = z.string().optional().catch(undefined);
const ratio = z
  .string()
  .catch("")
  .transform((value) => parseRatio(value));
/** Of what may be 0, such as the darkest black. */
const share = z
  .string()
  .catch("")
  .transform((value) => parseRatio(value, 0));

const SIDE_DATA = z
  .object({
    side_data_type: text,
    rotation: number,
    max_content: number,
    max_average: number,
    ...Object.fromEntries(
      ["red_x", "red_y", "green_x", "green_y", "blue_x", "blue_y", "white_point_x", "white_point_y"].map((name) => [
        name,
        share,
      ]),
    ),
    min_luminance: share,
    max_luminance: share,
  })
  .catchall(z.unknown());

const STREAM = z.object({
  index: z.int(),
  codec_type: z.string().catch("unknown"),
  codec_name: z.string().catch("unknown"),
  codec_tag_string: text,
  time_base: ratio,
  start_time: number,
  duration: number,
  width: number,
  height: number,
  pix_fmt: z.string().catch("unknown"),
  sample_aspect_ratio: z.string().optional().catch(undefined),
  field_order: text,
  avg_frame_rate: ratio,
  r_frame_rate: ratio,
  color_range: text,
  color_space: text,
  color_transfer: text,
  color_primaries: text,
  sample_rate: number,
  channels: number,
  channel_layout: text,
  disposition: z.record(z.string(), number).catch({}),
  tags: z.record(z.string(), z.unknown()).catch({}),
  side_data_list: z.array(SIDE_DATA).catch([]),
});

const MANIFEST = z.object({
  format: z.object({ format_name: z.string().catch("unknown"), duration: number, start_time: number }),
  streams: z.array(STREAM).catch([]),
  chapters: z.array(z.unknown()).catch([]),
});

type ProbedStream = z.output<typeof STREAM>;

/**
 * Describes a file by its headers, in at most two minutes. Throws FFMPEG_FAILED when ffprobe cannot open the file, FFMPEG_MISSING,
 * FFMPEG_TIMEOUT, ABORTED.
 */
export async function probeManifest(tools: FfmpegTools, path: string, signal?: AbortSignal): Promise<MediaManifest> {
  const timeoutMs = Math.min(tools.timeoutMs, PROBE_TIMEOUT_MS);
  const options = ["-show_format", "-show_streams", "-show_chapters"];
  const parsed = MANIFEST.safeParse(
    await runFfprobeJson(tools, path, options, { timeoutMs, signal, isRecording: true }),
  );
  if (!parsed.success) {
    throw new ReelmillError("FFMPEG_FAILED", "ffprobe's output lacks the format.", { cause: parsed.error });
  }
  const { format, streams, chapters } = parsed.data;
  const of = (type: string): readonly ProbedStream[] => streams.filter(({ codec_type }) => codec_type === type);
  const pictures = of("video").filter(
    ({ disposition, width, height }) => !disposition["attached_pic"] && width && height,
  );
  const video = await Promise.all(
    pictures.map(async (stream) =>
      describeVideo(stream, format.format_name, await readHdrData(tools, path, stream, { timeoutMs, signal })),
    ),
  );
  return {
    format: format.format_name,
    durationSeconds: format.duration,
    startSeconds: format.start_time ?? 0,
    video,
    audio: of("audio").map((stream, position) => ({
      ...describeBase(stream),
      position,
      sampleRateHz: stream.sample_rate ?? 0,
      channels: stream.channels ?? 0,
      channelLayout: stream.channel_layout,
    })),
    subtitles: of("subtitle").map((stream) => ({
      ...describeBase(stream),
      isText: TEXT_SUBTITLES.has(stream.codec_name),
      isForced: stream.disposition["forced"] === 1,
    })),
    chapterCount: chapters.length,
    otherStreamCount:
      streams.length - [video, of("audio"), of("subtitle"), of("data").filter(namesChapters)].flat().length,
  };
}

/** In QuickTime and MP4 the names of chapters are samples of a track, which ffmpeg holds to be data; text for other uses is subtitles. */
function namesChapters({ codec_tag_string }: ProbedStream): boolean {
  return codec_tag_string === "text";
}

/** What programs call a track in QuickTime and MP4 where nobody named it: after who reads or wrote it. */
const UNNAMED_HANDLER =
  /Handler?$|^Core Media |^(?:video|audio|sound|vide|soun)$|^(?:GoPro|Ambarella|DJI)\b|^I[Ss][Oo] ?Media [Ff]ile|Google Inc|GPAC/;

function describeBase(stream: ProbedStream): StreamBase {
  const tag = (name: string): string | undefined => {
    const value = stream.tags[name];
    return typeof value === "string" && value !== "und" && value !== "" ? value : undefined;
  };
  const handler = tag("handler_name")?.trim() ?? "";
  const isNamed = handler !== "" && !UNNAMED_HANDLER.test(handler);
  return {
    index: stream.index,
    codec: stream.codec_name,
    language: tag("language"),
    title: tag("title") ?? tag("name") ?? (isNamed ? handler : undefined),
    isDefault: stream.disposition["default"] === 1,
    purposes: TRACK_PURPOSES.filter((purpose) => stream.disposition[purpose] === 1),
    timeBase: stream.time_base ?? { numerator: 1, denominator: 1000 },
    startSeconds: stream.start_time,
    durationSeconds: stream.duration,
  };
}

type SideData = z.output<typeof SIDE_DATA>;

const FIRST_FRAME = z.object({
  frames: z.array(z.object({ side_data_list: z.array(SIDE_DATA).catch([]) })).catch([]),
});

/** HEVC and AV1 often tell of the mastering display in the pictures alone. Empty where the stream is not one of high dynamic range. */
async function readHdrData(
  tools: FfmpegTools,
  path: string,
  stream: ProbedStream,
  bounds: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<readonly SideData[]> {
  if (!HDR_TRANSFERS.includes(stream.color_transfer ?? "")) return [];
  const entries = ["-select_streams", String(stream.index), "-read_intervals", "%+#1", "-show_frames"];
  const parsed = FIRST_FRAME.safeParse(await runFfprobeJson(tools, path, entries, { ...bounds, isRecording: true }));
  return parsed.success ? (parsed.data.frames[0]?.side_data_list ?? []) : [];
}

/** By ffmpeg's names of the order of fields, as they are stored and shown. */
const SCANS: Readonly<Record<string, Scan>> = {
  progressive: "progressive",
  ...{ tt: "interlaced", bb: "interlaced", tb: "interlaced", bt: "interlaced" },
};

/** ffmpeg's names of containers that store how long pictures last. */
const TELLING_FORMATS = /^(?:mov|matroska),/;

function describeVideo(stream: ProbedStream, format: string, ofFirstFrame: readonly SideData[]): VideoStream {
  const find = (type: RegExp): SideData | undefined =>
    [...stream.side_data_list, ...ofFirstFrame].find(({ side_data_type }) => type.test(side_data_type ?? ""));
  const light = find(/content light/i);
  const turn = find(/display matrix/i)?.rotation ?? 0;
  return {
    ...describeBase(stream),
    widthPixels: stream.width ?? 0,
    heightPixels: stream.height ?? 0,
    pixelFormat: stream.pix_fmt,
    bitDepth: depthOf(stream.pix_fmt),
    tellsDurations: TELLING_FORMATS.test(format),
    sampleAspect: parseRatio((stream.sample_aspect_ratio ?? "").replace(":", "/")) ?? { numerator: 1, denominator: 1 },
    // The matrix turns anticlockwise.
    rotationDegrees: (((-Math.round(turn / 90) * 90) % 360) + 360) % 360,
    scan: SCANS[stream.field_order ?? ""] ?? "unknown",
    hasAlphaSamples: ALPHA_FORMAT.test(stream.pix_fmt),
    hasTransparency: mayBeTransparent(stream),
    frameRate: stream.avg_frame_rate ?? stream.r_frame_rate,
    colour: {
      range: stream.color_range,
      matrix: stream.color_space,
      transfer: stream.color_transfer,
      primaries: stream.color_primaries,
    },
    isHdr: HDR_TRANSFERS.includes(stream.color_transfer ?? ""),
    masteringDisplay: describeMastering(find(/mastering display/i)),
    contentLight:
      light?.max_content === undefined || light.max_average === undefined
        ? undefined
        : `${light.max_content},${light.max_average}`,
  };
}

/** Formats with a fourth sample beside the colours, or a second beside grey, in ffmpeg's words. */
const ALPHA_FORMAT = /^(?:yuva|gbrap|ya(?:8|16)|argb|rgba|abgr|bgra|ayuv|vuya)/;

function mayBeTransparent({ pix_fmt, tags }: ProbedStream): boolean {
  return ALPHA_FORMAT.test(pix_fmt) || [tags["alpha_mode"], tags["ALPHA_MODE"]].includes("1");
}

/** By ffmpeg's name of a format: bits of a sample, or, of packed ones (`rgb48le`, `rgba64le`), of a pixel. */
export function depthOf(pixelFormat: string): VideoStream["bitDepth"] {
  const [, ofSample, ofPixel] =
    /(?:p[024]?|y2|ya|gray|xyz|rgb|bgr|bayer_[bgr]{4})(9|10|12|14|16)(?:le|be)?$|(48|64|f16|f32)(?:le|be)$/.exec(
      pixelFormat,
    ) ?? [];
  const depth = ofPixel === undefined ? Number(ofSample ?? 8) : 16;
  if (depth <= 8) return 8;
  if (depth <= 10) return 10;
  return depth <= 12 ? 12 : 16;
}

/** In the units of ST 2086: 0.00002 for chromaticities, 0.0001 cd/m² for luminances. */
function describeMastering(data: SideData | undefined): string | undefined {
  if (data === undefined) return undefined;
  const scaled = (name: string, unit: number): number | undefined => {
    const value = data[name] as Ratio | undefined;
    return value && Math.round((value.numerator * unit) / value.denominator);
  };
  const point = (name: string): string => `(${scaled(`${name}_x`, 50_000)},${scaled(`${name}_y`, 50_000)})`;
  const whole = `G${point("green")}B${point("blue")}R${point("red")}WP${point("white_point")}L(${scaled("max_luminance", 10_000)},${scaled("min_luminance", 10_000)})`;
  return /undefined|NaN|Infinity/.test(whole) ? undefined : whole;
}

function parseRatio(value: string, least = 1): Ratio | undefined {
  const match = /^(\d+)\/(\d+)$/.exec(value);
  const [numerator, denominator] = [Number(match?.[1]), Number(match?.[2])];
  return numerator >= least && denominator > 0 ? { numerator, denominator } : undefined;
}
