import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SubtitleStream } from "../../ffmpeg/manifest.ts";
import type { MediaPlaylist, MediaSegment } from "../../media/hls/playlist.ts";
import { serializePlaylist } from "../../media/hls/serialize-playlist.ts";
import { createSegmentKey, type SegmentEncryption, writeEncrypted } from "./encrypt.ts";
import { SEGMENT_SECONDS, type SubtitlePlan } from "./packaging.ts";
import { takeTurn } from "./take-turn.ts";
import { folderNameOf, languageOf, uniqueLabels } from "./track-names.ts";
import { vodPlaylist } from "./vod-playlist.ts";
import { SEGMENTS_PLAYLIST } from "./write-media.ts";

/** Text subtitles become WebVTT; those made of pictures cannot. */
export function planSubtitles(tracks: readonly SubtitleStream[]): readonly SubtitlePlan[] {
  const texts = tracks.filter(({ isText }) => isText);
  const labels = uniqueLabels(texts, "Subtitles");
  return texts.map((track, index) => {
    const language = languageOf(track);
    return {
      name: `subtitles-${index + 1}-${folderNameOf(language)}`,
      streamIndex: track.index,
      language,
      label: labels[index] as string,
      isForced: track.isForced,
      purposes: track.purposes,
    };
  });
}

/** Cues begin with their times, but for a line that may name them; empty lines of a text part nothing. */
const BETWEEN_CUES = /\n\n(?=(?:.+\n)?(?:\d+:)?\d\d:\d\d\.\d{3} --> )/;
const TIMES = /^((?:\d+:)?\d\d:\d\d\.\d{3}) --> ((?:\d+:)?\d\d:\d\d\.\d{3})(.*)$/;

interface Cue {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** As it stands in a segment. */
  readonly text: string;
}

/** How the times of subtitles become those of the package. */
export interface SubtitleTimes {
  /** In the source's times; becomes 0. */
  readonly originSeconds: number;
  readonly durationSeconds: number;
  /** What the media count at 0, in ticks of 90 kHz. */
  readonly firstTimestampTicks: number;
}

/**
 * Cuts a WebVTT file as ffmpeg writes it into segments of six seconds, the last one shorter. `originSeconds` becomes 0; a cue that lasts over
 * a segment's end is in the next one, too (RFC 8216bis §3.1.4); what lies outside is left out.
 */
export function cutSubtitles(
  text: string,
  { originSeconds, durationSeconds, firstTimestampTicks }: SubtitleTimes,
): readonly string[] {
  const header = `WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:${firstTimestampTicks}\n`;
  const segments = Array.from({ length: segmentCount(durationSeconds) }, () => [header]);
  for (const block of text.split(BETWEEN_CUES)) {
    const cue = parseCue(block, originSeconds, durationSeconds);
    if (cue === undefined) continue;
    const first = Math.floor(cue.startSeconds / SEGMENT_SECONDS);
    const end = Math.ceil(cue.endSeconds / SEGMENT_SECONDS);
    for (const segment of segments.slice(first, end)) segment.push(cue.text);
  }
  return segments.map((blocks) => blocks.join("\n"));
}

function segmentCount(durationSeconds: number): number {
  return Math.max(1, Math.ceil(durationSeconds / SEGMENT_SECONDS - 0.001));
}

function parseCue(block: string, originSeconds: number, durationSeconds: number): Cue | undefined {
  const lines = block.split("\n");
  const at = lines.findIndex((line) => TIMES.test(line));
  const [, start = "", end = "", settings = ""] = TIMES.exec(lines[at] ?? "") ?? [];
  if (at < 0) return undefined;
  const startSeconds = Math.max(0, parseTime(start) - originSeconds);
  const endSeconds = Math.min(durationSeconds, parseTime(end) - originSeconds);
  if (endSeconds <= startSeconds) return undefined;
  const times = `${vttTime(startSeconds)} --> ${vttTime(endSeconds)}${settings}`;
  const shown = lines.slice(at + 1).flatMap((line) => (line === "" ? [] : [escapeCueText(line)]));
  return { startSeconds, endSeconds, text: [times, ...shown, ""].join("\n") };
}

/** Markup of WebVTT (§4.2.2): a tag, or a time within a cue. */
const NO_MARKUP = /<(?!\/?(?:b|i|u|c|v|lang|ruby|rt)(?:[.\s][^<>]*)?>|(?:\d+:)?\d\d:\d\d\.\d{3}>)/g;
const NO_REFERENCE = /&(?!(?:[a-z][a-z\d]*|#\d+|#x[\da-f]+);)/gi;

/** What stands in a text as it is, and would be taken for markup: ffmpeg passes on both without telling them apart. */
function escapeCueText(line: string): string {
  return line.replaceAll(NO_REFERENCE, "&amp;").replaceAll("-->", "--&gt;").replaceAll(NO_MARKUP, "&lt;");
}

function parseTime(text: string): number {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** `hh:mm:ss.ttt`, as WebVTT has it. */
export function vttTime(seconds: number): string {
  const totalMs = Math.round(seconds * 1000);
  const part = (value: number, digits: number): string => String(value).padStart(digits, "0");
  const hours = part(Math.floor(totalMs / 3_600_000), 2);
  const minutes = part(Math.floor(totalMs / 60_000) % 60, 2);
  return `${hours}:${minutes}:${part(Math.floor(totalMs / 1000) % 60, 2)}.${part(totalMs % 1000, 3)}`;
}

/** How subtitles are written. */
export interface SubtitleWriting {
  readonly targetSeconds: number;
  /** Undefined where nothing is encrypted. */
  readonly encryption: SegmentEncryption | undefined;
  readonly signal: AbortSignal;
}

/** Writes a track's segments and playlist into a folder of its name. Throws ABORTED, and what the system throws. */
export async function writeSubtitles(
  { name }: SubtitlePlan,
  encodedPath: string,
  packageFolder: string,
  times: SubtitleTimes,
  { targetSeconds, encryption, signal }: SubtitleWriting,
): Promise<MediaPlaylist> {
  const folder = join(packageFolder, name);
  mkdirSync(folder);
  const texts = cutSubtitles(readFileSync(encodedPath, "utf8"), times);
  const segments: MediaSegment[] = [];
  for (const [index, text] of texts.entries()) {
    await takeTurn(signal);
    const uri = `segment-${String(index + 1).padStart(5, "0")}.vtt`;
    const key = encryption && createSegmentKey(encryption);
    if (encryption === undefined || key === undefined) writeFileSync(join(folder, uri), text);
    else writeEncrypted(() => [Buffer.from(text)], join(folder, uri), encryption, key);
    const seconds = Math.min(SEGMENT_SECONDS, times.durationSeconds - index * SEGMENT_SECONDS);
    const durationSeconds = Number(seconds.toFixed(6));
    const keys = key === undefined ? [] : [key];
    segments.push({ uri, durationSeconds, title: "", isDiscontinuity: false, keys, isGap: false });
  }
  const kind = { targetDurationSeconds: targetSeconds, isIFramesOnly: false, hasIndependentSegments: false };
  const playlist = vodPlaylist(segments, kind);
  writeFileSync(join(folder, SEGMENTS_PLAYLIST), serializePlaylist(playlist));
  return playlist;
}
