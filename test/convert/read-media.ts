import { execFileSync, spawn } from "node:child_process";

/** Thumbnails are grey, this many pixels wide and high. */
export const THUMBNAIL_SIDE = 32;
/** Sound is compared at this rate, in one channel. */
export const SAMPLE_RATE = 8000;

/** The pictures of the main video track, in presentation order. */
export interface Pictures {
  /** Presentation times in seconds, as the file has them. */
  readonly seconds: readonly number[];
  /** One thumbnail per picture, turned upright. */
  readonly thumbnails: readonly Buffer[];
}

/** One sound track, decoded. */
export interface Sound {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Mono at `SAMPLE_RATE`, the first one at `startSeconds`. */
  readonly samples: Float32Array;
  readonly language: string;
  readonly channels: number;
  readonly codec: string;
}

/** What a player needs to show the pictures right. */
export interface Look {
  readonly codec: string;
  readonly pixelFormat: string;
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** As shown: pixels stretched to squares, turned upright. */
  readonly shownWidth: number;
  readonly shownHeight: number;
  readonly isInterlaced: boolean;
  /** Range, matrix, transfer and primaries; "unknown" where the file does not say. */
  readonly colour: Readonly<Record<"range" | "matrix" | "transfer" | "primaries", string>>;
  /** Mastering display and light levels, ffprobe's fields joined; empty where there are none. */
  readonly hdr: string;
}

/** A file as ffmpeg's own decoders read it. */
export interface Media {
  readonly look: Look;
  readonly pictures: Pictures;
  readonly sounds: readonly Sound[];
  /** Codecs of the text tracks. */
  readonly texts: readonly { readonly codec: string; readonly language: string }[];
  readonly chapters: readonly { readonly title: string; readonly startSeconds: number; readonly endSeconds: number }[];
  readonly title: string;
  /** The first picture's or sound's time, whichever is earlier. */
  readonly startSeconds: number;
}

interface ProbedStream {
  readonly index: number;
  readonly codec_type: string;
  readonly codec_name?: string;
  readonly time_base: string;
  readonly pix_fmt?: string;
  readonly width?: number;
  readonly height?: number;
  readonly channels?: number;
  readonly sample_aspect_ratio?: string;
  readonly color_range?: string;
  readonly color_space?: string;
  readonly color_transfer?: string;
  readonly color_primaries?: string;
  readonly disposition?: { readonly attached_pic?: number };
  readonly tags?: Readonly<Record<string, string>>;
  readonly side_data_list?: readonly Readonly<Record<string, unknown>>[];
}

interface Probed {
  readonly streams: readonly ProbedStream[];
  readonly chapters: readonly {
    readonly start_time: string;
    readonly end_time: string;
    readonly tags?: Readonly<Record<string, string>>;
  }[];
  readonly format: { readonly tags?: Readonly<Record<string, string>> };
  /** Of all streams. */
  readonly frames?: readonly ProbedFrame[];
}

interface ProbedFrame {
  readonly stream_index: number;
  readonly interlaced_frame?: number;
  readonly color_range?: string;
  readonly color_space?: string;
  readonly color_transfer?: string;
  readonly color_primaries?: string;
  readonly side_data_list?: readonly Readonly<Record<string, unknown>>[];
}

/** Reads the main video track, every sound track and what the file says of itself. Rejects where ffmpeg complains of it. */
export async function readMedia(path: string): Promise<Media> {
  // An edit may hide the first frames.
  const frames = ["-show_frames", "-read_intervals", "%+#96"];
  const probed = probe<Probed>(path, ["-show_streams", "-show_chapters", "-show_format", ...frames]);
  const videos = probed.streams.filter((stream) => stream.codec_type === "video");
  const main = videos.find((stream) => stream.disposition?.attached_pic !== 1);
  if (main === undefined) throw new Error(`${path} has no video track.`);
  const tracks = probed.streams.filter((stream) => stream.codec_type === "audio");
  const [shown, ...heard] = await decode(path, [pictureOutputs(main), ...tracks.map(soundOutputs)]);
  const pictures = readPictures(path, shown);
  const sounds = tracks.map((stream, at) => readSound(stream, heard[at]));
  const starts = [pictures.seconds[0] ?? 0, ...sounds.map((sound) => sound.startSeconds)];
  return {
    look: readLook(
      main,
      probed.frames?.find(({ stream_index: index }) => index === main.index),
    ),
    pictures,
    sounds,
    texts: probed.streams
      .filter((stream) => stream.codec_type === "subtitle")
      .map((stream) => ({ codec: stream.codec_name ?? "", language: stream.tags?.["language"] ?? "und" })),
    chapters: probed.chapters.map((chapter) => ({
      title: chapter.tags?.["title"] ?? "",
      startSeconds: Number(chapter.start_time),
      endSeconds: Number(chapter.end_time),
    })),
    title: probed.format.tags?.["title"] ?? "",
    startSeconds: Math.min(...starts),
  };
}

/** What a track is decoded to: its data, and the list of its frames with their times. */
interface Outputs {
  readonly data: readonly string[];
  readonly list: readonly string[];
}

/** What came of it. */
interface Decoded {
  readonly raw: Buffer;
  readonly frames: readonly { readonly seconds: number; readonly durationSeconds: number }[];
}

function pictureOutputs({ index, time_base: clock }: ProbedStream): Outputs {
  const passthrough = ["-map", `0:${index}`, "-fps_mode", "passthrough", "-enc_time_base", clock];
  const scaled = [...passthrough, "-vf", `scale=${THUMBNAIL_SIDE}:${THUMBNAIL_SIDE}:flags=area,format=gray`];
  return { data: [...scaled, "-f", "rawvideo"], list: scaled };
}

function soundOutputs({ index }: ProbedStream): Outputs {
  const coding = ["-map", `0:${index}`, "-c:a", "pcm_s16le"];
  return { data: [...coding, "-ac", "1", "-ar", String(SAMPLE_RATE), "-f", "s16le"], list: coding };
}

function readPictures(path: string, { raw, frames } = NOTHING): Pictures {
  const size = THUMBNAIL_SIDE ** 2;
  const thumbnails = frames.map((_, at) => raw.subarray(at * size, (at + 1) * size));
  if (raw.length !== frames.length * size)
    throw new Error(`${path}: ${raw.length} bytes of ${frames.length} pictures.`);
  return { seconds: frames.map((frame) => frame.seconds), thumbnails };
}

function readSound(stream: ProbedStream, { raw, frames } = NOTHING): Sound {
  const last = frames.at(-1);
  const samples = Float32Array.from({ length: raw.length >> 1 }, (_, at) => raw.readInt16LE(at * 2) / 32768);
  return {
    startSeconds: frames[0]?.seconds ?? 0,
    endSeconds: last === undefined ? 0 : last.seconds + last.durationSeconds,
    samples,
    language: stream.tags?.["language"] ?? "und",
    channels: stream.channels ?? 0,
    codec: stream.codec_name ?? "",
  };
}

const NOTHING: Decoded = { raw: Buffer.alloc(0), frames: [] };

/** Decodes all tracks in one run: most of a short file's time is ffmpeg's start. */
async function decode(path: string, tracks: readonly Outputs[]): Promise<readonly Decoded[]> {
  const args = tracks.flatMap(({ data, list }, at) => [
    ...[...data, `pipe:${3 + 2 * at}`],
    ...[...list, "-f", "framecrc", `pipe:${4 + 2 * at}`],
  ]);
  const child = spawn("ffmpeg", ["-nostdin", "-v", "error", "-copyts", "-i", path, ...args], {
    stdio: ["ignore", "ignore", "pipe", ...tracks.flatMap(() => ["pipe", "pipe"] as const)],
  });
  const [complaints, ...outputs] = await Promise.all(
    child.stdio.slice(2).map((stream) => collect(stream as NodeJS.ReadableStream)),
  );
  const status = child.exitCode ?? (await new Promise((resolve) => child.once("close", resolve)));
  if (status !== 0) throw new Error(`ffmpeg ended with ${String(status)} on ${path}: ${complaints?.toString() ?? ""}`);
  return tracks.map((_, at) => ({
    raw: outputs[2 * at] ?? NOTHING.raw,
    frames: readFrameList(outputs[2 * at + 1]?.toString() ?? ""),
  }));
}

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads what the framecrc muxer writes of one stream. */
function readFrameList(text: string): { readonly seconds: number; readonly durationSeconds: number }[] {
  const [, numerator = 0, denominator = 1] = (/^#tb 0: (\d+)\/(\d+)$/m.exec(text) ?? []).map(Number);
  const tickSeconds = (ticks: string | undefined): number => (Number(ticks) * numerator) / denominator;
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, , presentation, duration] = line.split(",");
      return { seconds: tickSeconds(presentation), durationSeconds: tickSeconds(duration) };
    });
}

function readLook(stream: ProbedStream, frame: ProbedFrame | undefined): Look {
  const { width = 0, height = 0 } = stream;
  const [across = 1, down = 1] = (stream.sample_aspect_ratio ?? "1:1").split(":").map(Number);
  const square = across > 0 && down > 0 ? Math.round((width * across) / down) : width;
  const turn = stream.side_data_list?.find((data) => data["rotation"] !== undefined)?.["rotation"];
  const isOnSide = Math.abs(Number(turn ?? 0)) % 180 === 90;
  return {
    codec: stream.codec_name ?? "",
    pixelFormat: stream.pix_fmt ?? "",
    widthPixels: width,
    heightPixels: height,
    shownWidth: isOnSide ? height : square,
    shownHeight: isOnSide ? square : height,
    isInterlaced: frame?.interlaced_frame === 1,
    colour: {
      range: stream.color_range ?? "unknown",
      matrix: stream.color_space ?? "unknown",
      transfer: stream.color_transfer ?? "unknown",
      primaries: stream.color_primaries ?? "unknown",
    },
    // Newer ffprobe tells of both what only one of them tells.
    hdr: [...new Set([stream, frame].flatMap((told) => told?.side_data_list ?? []).flatMap(describeHdr))]
      .sort()
      .join("; "),
  };
}

function describeHdr(data: Readonly<Record<string, unknown>>): string[] {
  const { side_data_type: type, ...fields } = data;
  if (type !== "Mastering display metadata" && type !== "Content light level metadata") return [];
  const values = Object.entries(fields).map(([name, value]) => `${name} ${readRatio(String(value)).toFixed(4)}`);
  return [`${type}: ${values.join(", ")}`];
}

function readRatio(text: string): number {
  const [numerator = 0, denominator = 1] = text.split("/").map(Number);
  return numerator / denominator;
}

function probe<T>(path: string, args: readonly string[]): T {
  const all = ["-v", "error", ...args, "-of", "json", path];
  return JSON.parse(execFileSync("ffprobe", all, { encoding: "utf8", maxBuffer: 1 << 26, stdio: "pipe" })) as T;
}
