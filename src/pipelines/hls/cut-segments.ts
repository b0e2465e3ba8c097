import type { EncryptionKey, MediaPlaylist, MediaSegment } from "../../media/hls/playlist.ts";
import type { FragmentIndex, IndexedFragment } from "../../media/isobmff/index-fragments.ts";
import { SEGMENT_SECONDS } from "./packaging.ts";
import { vodPlaylist } from "./vod-playlist.ts";

/** Names within a rung's or a sound's folder. */
export const MEDIA_FILE = "media.mp4";
export const INITIALIZATION_FILE = "init.mp4";

/** How a stream's segments lie: fragmented MP4 in one file or several, or files of MPEG-TS or of packed audio. */
export type SegmentMode = "single-file" | "separate" | "mpegts" | "packed-audio";

const EXTENSIONS = { separate: "m4s", mpegts: "ts", "packed-audio": "aac" } as const;

/** A media segment: fragments that follow each other. */
export interface SegmentCut {
  /** Where it is played from. */
  readonly file: string;
  /** Of the encoded file. */
  readonly startBytes: number;
  readonly endBytes: number;
  readonly fragments: readonly IndexedFragment[];
}

/** Fragments begin this much off an even segment's start at most: sound knows whole frames alone. */
const SLACK_SECONDS = 0.5;

/** Puts fragments together to segments of six seconds, each named by the file that it will lie in. */
export function* cutSegments(index: FragmentIndex, mode: SegmentMode): Generator<SegmentCut> {
  let count = 0;
  for (const fragments of groupFragments(index)) {
    count++;
    yield {
      file: mode === "single-file" ? MEDIA_FILE : `segment-${String(count).padStart(5, "0")}.${EXTENSIONS[mode]}`,
      startBytes: (fragments[0] as IndexedFragment).startBytes,
      endBytes: (fragments.at(-1) as IndexedFragment).endBytes,
      fragments,
    };
  }
}

/** None of the groups is empty; a fragment that lasts, such as of a picture that is held, makes none longer than it has to be. */
function* groupFragments({ fragments, timescale }: FragmentIndex): Generator<readonly IndexedFragment[]> {
  let group: IndexedFragment[] = [];
  let groupTicks = 0;
  let nextSeconds = Number.NEGATIVE_INFINITY;
  for (const fragment of fragments) {
    const seconds = fragment.startTicks / timescale;
    const isTooLong = Math.round((groupTicks + fragment.durationTicks) / timescale) > SEGMENT_SECONDS;
    if (seconds >= nextSeconds - SLACK_SECONDS || (isTooLong && group.length > 0)) {
      if (group.length > 0) yield group;
      group = [];
      groupTicks = 0;
      nextSeconds = SEGMENT_SECONDS * (Math.floor((seconds + SLACK_SECONDS) / SEGMENT_SECONDS) + 1);
    }
    group.push(fragment);
    groupTicks += fragment.durationTicks;
  }
  if (group.length > 0) yield group;
}

/** The longest of the segments, as EXT-X-TARGETDURATION counts: a whole number, six at least. */
export function targetDuration(indexes: readonly FragmentIndex[]): number {
  let longest = SEGMENT_SECONDS;
  for (const index of indexes) {
    for (const { fragments } of cutSegments(index, "single-file")) {
      longest = Math.max(longest, Math.round(lengthSeconds(fragments, index.timescale)));
    }
  }
  return longest;
}

function lengthSeconds(fragments: readonly IndexedFragment[], timescale: number): number {
  return fragments.reduce((sum, { durationTicks }) => sum + durationTicks, 0) / timescale;
}

/** The playlist of a rung's or a sound's segments; `keys` are those of each, where they are encrypted. */
export function segmentPlaylist(
  index: FragmentIndex,
  mode: SegmentMode,
  targetDurationSeconds: number,
  keys: readonly EncryptionKey[] = [],
): MediaPlaylist {
  const map = mapOf(index, mode);
  const segments = cutSegments(index, mode).map(({ file, startBytes, endBytes, fragments }, at) => {
    const lengthBytes = endBytes - startBytes;
    const seconds = lengthSeconds(fragments, index.timescale);
    const segment = describeSegment({ file, seconds, key: keys[at] }, map);
    if (mode === "single-file") return { ...segment, byteRange: { offsetBytes: startBytes, lengthBytes } };
    // Where a byte range does not tell how large a segment is.
    return { ...segment, kilobitsPerSecond: bitRate(lengthBytes, segment) };
  });
  return vodPlaylist([...segments], { targetDurationSeconds, isIFramesOnly: false, hasIndependentSegments: true });
}

/** For EXT-X-BITRATE (RFC 8216bis §4.4.4.8). */
function bitRate(bytes: number, { durationSeconds }: MediaSegment): number {
  return durationSeconds === 0 ? 0 : Math.round((8 * bytes) / 1000 / durationSeconds);
}

/**
 * The playlist of the pictures that fragments begin with: each by its byte range, lasting until the next one. Where segments are encrypted, the
 * ranges are those before that, with the key and vector of the segment (RFC 8216bis §6.3.6).
 */
export function iFramePlaylist(
  index: FragmentIndex,
  mode: SegmentMode,
  targetDurationSeconds: number,
  keys: readonly EncryptionKey[] = [],
): MediaPlaylist {
  const map = mapOf(index, mode);
  const segments = cutSegments(index, mode).flatMap(({ file, startBytes, fragments }, at) =>
    fragments.map((fragment) => {
      const origin = mode === "single-file" ? 0 : startBytes;
      const offsetBytes = fragment.startBytes - origin;
      const lengthBytes = fragment.firstSampleEndBytes - fragment.startBytes;
      const seconds = lengthSeconds([fragment], index.timescale);
      return {
        ...describeSegment({ file, seconds, key: keys[at] }, map),
        byteRange: { offsetBytes, lengthBytes },
      };
    }),
  );
  return vodPlaylist([...segments], { targetDurationSeconds, isIFramesOnly: true, hasIndependentSegments: true });
}

/** One map for all segments, as readers have it. */
function mapOf({ initializationBytes }: FragmentIndex, mode: SegmentMode): Pick<MediaSegment, "map"> {
  if (mode === "separate") return { map: { uri: INITIALIZATION_FILE } };
  if (mode !== "single-file") return {};
  return { map: { uri: MEDIA_FILE, byteRange: { offsetBytes: 0, lengthBytes: initializationBytes } } };
}

interface SegmentPlace {
  readonly file: string;
  readonly seconds: number;
  readonly key: EncryptionKey | undefined;
}

function describeSegment({ file, seconds, key }: SegmentPlace, map: Pick<MediaSegment, "map">): MediaSegment {
  return {
    ...map,
    uri: file,
    durationSeconds: Number(seconds.toFixed(6)),
    title: "",
    isDiscontinuity: false,
    keys: key === undefined ? [] : [key],
    isGap: false,
  };
}
