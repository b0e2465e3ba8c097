import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { createMemorySource } from "../../src/media/bytes/byte-source.ts";
import { parsePlaylist } from "../../src/media/hls/parse-playlist.ts";
import type {
  MediaPlaylist,
  MediaSegment,
  MultivariantPlaylist,
  StreamAttributes,
  VariantStream,
} from "../../src/media/hls/playlist.ts";
import { serializePlaylist } from "../../src/media/hls/serialize-playlist.ts";
import { openBox } from "../../src/media/isobmff/box-reader.ts";
import { scanTopLevelBoxes } from "../../src/media/isobmff/top-level.ts";
import { parseTraf } from "../../src/media/isobmff/traf.ts";

export const SECONDS = 12;
/** What declared bit rates are above the measured ones. */
const MARGIN = 1.03;

export type Container = "fmp4" | "mpegts";

/** One rung as ffmpeg encodes it and the multivariant playlist describes it. */
export interface Rung {
  readonly name: string;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly framesPerSecond: number;
  readonly codec: string;
  readonly encoder: string;
  /** Arguments of the HLS muxer besides those that all have. */
  readonly muxer?: string;
}

/** A rung of about 2000 kbit/s on average. */
export const HIGH: Rung = {
  name: "high",
  widthPixels: 640,
  heightPixels: 360,
  framesPerSecond: 25,
  codec: "avc1.4d401e",
  encoder:
    "-c:v libx264 -preset superfast -profile:v main -level 3.0 -g 50 -sc_threshold 0 -bf 0 -b:v 1900k -maxrate 2000k -bufsize 1000k",
};

/** A rung that fits into 192 kbit/s with its sound. */
export const LOW: Rung = {
  name: "low",
  widthPixels: 192,
  heightPixels: 108,
  framesPerSecond: 25,
  codec: "avc1.4d400c",
  encoder:
    "-c:v libx264 -preset superfast -profile:v main -level 1.2 -g 50 -sc_threshold 0 -bf 0 -b:v 70k -maxrate 80k -bufsize 80k",
};

export const STEREO = "-c:a aac -b:a 48k -ac 2";

/** What a presentation is made of. */
export interface Recipe {
  readonly container: Container;
  readonly rungs: readonly Rung[];
  readonly sound: string;
}

/** Has ffmpeg make what it made for nobody in this process yet: many presentations have rungs and sound in common. */
function ffmpegHls(
  folder: string,
  container: Container,
  input: readonly string[],
  codec: string,
  muxer = "",
): MediaPlaylist {
  const key = createHash("sha256")
    .update([container, ...input, codec, muxer].join(" "))
    .digest("hex")
    .slice(0, 12);
  const kept = join(inject("runFolder"), "ladders", String(process.pid), key);
  if (!existsSync(kept)) {
    const partial = `${kept}.partial`;
    runFfmpegHls(partial, container, input, codec, muxer);
    renameSync(partial, kept);
  }
  cpSync(kept, folder, { recursive: true });
  return readMedia(join(folder, "index.m3u8"));
}

function runFfmpegHls(
  folder: string,
  container: Container,
  input: readonly string[],
  codec: string,
  muxer: string,
): void {
  mkdirSync(folder, { recursive: true });
  const extension = container === "fmp4" ? "m4s" : "ts";
  const file = muxer.includes("single_file") ? `all.${extension}` : `seg%d.${extension}`;
  const options = [
    "-muxdelay",
    "0",
    "-f",
    "hls",
    "-hls_time",
    "6",
    "-hls_playlist_type",
    "vod",
    "-hls_segment_type",
    container,
  ];
  const names = ["-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", join(folder, file)];
  const words = (text: string): string[] => (text === "" ? [] : text.split(" "));
  const args = [
    "-nostdin",
    "-v",
    "error",
    "-y",
    ...input,
    "-t",
    String(SECONDS),
    ...words(codec),
    ...options,
    ...names,
  ];
  execFileSync("ffmpeg", [...args, ...words(muxer), join(folder, "index.m3u8")], {
    // The muxer writes a key where its URL says, relative to this.
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Parses a media playlist on disk. */
export function readMedia(path: string): MediaPlaylist {
  const playlist = parsePlaylist(readFileSync(path, "utf8"));
  if (playlist.kind !== "media") throw new Error(`${path} is no media playlist`);
  return playlist;
}

/** Peak and average of segments that each last between half and one and a half target durations. */
function rates(folder: string, { segments }: MediaPlaylist): { readonly peak: number; readonly average: number } {
  const sizes = segments.map(({ uri, byteRange }) => byteRange?.lengthBytes ?? statSync(join(folder, uri)).size);
  const total = segments.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
  // A last segment of one frame of sound has a rate that says nothing.
  const long = sizes.map((size, index) => ({ size, seconds: segments[index]?.durationSeconds ?? 0 }));
  const peak = Math.max(...long.map(({ size, seconds }) => (seconds >= 3 ? (8 * size) / seconds : 0)));
  return { peak, average: (8 * sizes.reduce((sum, size) => sum + size, 0)) / total };
}

/** The I-frame playlist of a rung: of each segment its first picture, by byte range. */
function iFramePlaylist(folder: string, container: Container, media: MediaPlaylist): MediaPlaylist {
  const segments = media.segments.map((segment): MediaSegment => {
    const offsetBytes = segment.byteRange?.offsetBytes ?? 0;
    const bytes = readFileSync(join(folder, segment.uri)).subarray(offsetBytes);
    const lengthBytes = container === "fmp4" ? endOfFirstSample(bytes) : endOfFirstPicture(bytes);
    return { ...segment, byteRange: { offsetBytes, lengthBytes } };
  });
  return { ...media, version: 5, isIFramesOnly: true, segments };
}

function endOfFirstSample(bytes: Uint8Array): number {
  const moof = scanTopLevelBoxes(createMemorySource(bytes)).find(({ type }) => type === "moof");
  if (moof === undefined) throw new Error("no moof");
  const box = openBox(bytes.subarray(moof.offsetBytes, moof.offsetBytes + moof.sizeBytes), moof.offsetBytes);
  const traf = box.children().find(({ type }) => type === "traf");
  const [run] = traf === undefined ? [] : parseTraf(traf, moof.offsetBytes, moof.offsetBytes, () => undefined).runs;
  return (run?.offsetBytes ?? 0) + (run?.sizes?.[0] ?? run?.defaultSizeBytes ?? 0);
}

/** Where the second PES packet of the video's PID, 0x100 as ffmpeg has it, begins. */
function endOfFirstPicture(bytes: Uint8Array): number {
  const starts: number[] = [];
  for (let index = 0; index < bytes.length; index += 188) {
    if ((((bytes[index + 1] ?? 0) & 0x5f) << 8) + (bytes[index + 2] ?? 0) === 0x4100) starts.push(index);
  }
  return starts[1] ?? bytes.length;
}

function streamOf(rung: Rung, uri: string, peak: number, average: number): StreamAttributes {
  return {
    uri,
    bandwidthBitsPerSecond: Math.ceil(peak * MARGIN),
    averageBandwidthBitsPerSecond: Math.ceil(average * MARGIN),
    codecs: [rung.codec],
    resolution: { widthPixels: rung.widthPixels, heightPixels: rung.heightPixels },
    videoRange: "SDR",
  };
}

/** Makes a presentation as the rules want it in `folder`, by ffmpeg and the project's own writer. */
export function makeLadder(folder: string, { container, rungs, sound }: Recipe): void {
  const tone = ["-f", "lavfi", "-i", "sine=440:r=48000"];
  const audio = ffmpegHls(join(folder, "audio"), container, tone, sound);
  const audioRates = rates(join(folder, "audio"), audio);
  const subtitleBytes = writeSubtitles(join(folder, "subtitles"));
  const subtitleRate = (8 * subtitleBytes) / 6;
  const variants: VariantStream[] = [];
  const iFrameVariants: StreamAttributes[] = [];
  for (const rung of rungs) {
    const place = join(folder, rung.name);
    const size = `${rung.widthPixels}x${rung.heightPixels}`;
    const picture = [
      "-f",
      "lavfi",
      "-i",
      `testsrc2=s=${size}:r=${rung.framesPerSecond},noise=alls=20:allf=t,format=yuv420p`,
    ];
    const media = ffmpegHls(place, container, picture, rung.encoder, rung.muxer);
    const own = rates(place, media);
    const peak = own.peak + audioRates.peak + subtitleRate;
    const stream = streamOf(rung, `${rung.name}/index.m3u8`, peak, own.average + audioRates.average + subtitleRate);
    variants.push({
      ...stream,
      codecs: [rung.codec, "mp4a.40.2"],
      framesPerSecond: rung.framesPerSecond,
      audioGroupId: "sound",
      subtitlesGroupId: "text",
      closedCaptionsGroupId: null,
    });
    const iFrames = iFramePlaylist(place, container, media);
    writePlaylist(join(place, "iframes.m3u8"), iFrames);
    const iFrameRates = rates(place, iFrames);
    iFrameVariants.push(streamOf(rung, `${rung.name}/iframes.m3u8`, iFrameRates.peak, iFrameRates.average));
  }
  const common = { language: "en", isDefault: true, isAutoselect: true, isForced: false } as const;
  const main: MultivariantPlaylist = {
    kind: "multivariant",
    version: 7,
    hasIndependentSegments: true,
    renditions: [
      { ...common, type: "AUDIO", groupId: "sound", name: "English", channels: "2", uri: "audio/index.m3u8" },
      { ...common, type: "SUBTITLES", groupId: "text", name: "English", uri: "subtitles/index.m3u8" },
    ],
    variants,
    iFrameVariants,
    sessionData: [],
    sessionKeys: [],
  };
  writePlaylist(join(folder, "main.m3u8"), main);
}

/** Writes a playlist to disk. */
export function writePlaylist(path: string, playlist: MediaPlaylist | MultivariantPlaylist): void {
  writeFileSync(path, serializePlaylist(playlist));
}

/** Two segments of WebVTT; gives the bytes of the larger one. */
function writeSubtitles(folder: string): number {
  mkdirSync(folder, { recursive: true });
  const head = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n";
  const texts = [
    `${head}00:01.000 --> 00:02.500\nA line\n`,
    `${head}00:00:07.000 --> 00:00:08.000 align:left\nAnother\n`,
  ];
  const segments = texts.map((text, index): MediaSegment => {
    writeFileSync(join(folder, `${index}.vtt`), text);
    return { uri: `${index}.vtt`, durationSeconds: 6, title: "", isDiscontinuity: false, keys: [], isGap: false };
  });
  writePlaylist(join(folder, "index.m3u8"), {
    kind: "media",
    version: 3,
    targetDurationSeconds: 6,
    mediaSequence: 0,
    discontinuitySequence: 0,
    playlistType: "VOD",
    hasEndList: true,
    isIFramesOnly: false,
    hasIndependentSegments: false,
    dateRanges: [],
    segments,
  });
  return Math.max(...texts.map((text) => text.length));
}
