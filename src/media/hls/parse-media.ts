import { type Attribute, parseAttributeList } from "./attribute-list.ts";
import { parseDateTime } from "./date-time.ts";
import { parseDecimal, parseDecimalInteger } from "./decimal.ts";
import {
  parseByteRange,
  parseKey,
  parseStart,
  parseVersion,
  readAttributes,
  refuseUnsupported,
  SeenTags,
} from "./parse-common.ts";
import type { EncryptionKey, InitializationMap, MediaPlaylist, MediaSegment, StartPoint } from "./playlist.ts";
import { playlistError, valueError } from "./playlist-error.ts";
import type { PlaylistLine } from "./playlist-lines.ts";

/** What the tags before a segment's URI said of it alone. */
interface Pending {
  durationSeconds?: number;
  title?: string;
  byteRange?: { readonly text: string; readonly lineNumber: number };
  isDiscontinuity?: boolean;
  programDateTime?: string;
  isGap?: boolean;
}

interface Draft {
  version: number | undefined;
  targetDurationSeconds: number | undefined;
  mediaSequence: number;
  discontinuitySequence: number;
  playlistType: "VOD" | "EVENT" | undefined;
  hasEndList: boolean;
  isIFramesOnly: boolean;
  hasIndependentSegments: boolean;
  start: StartPoint | undefined;
  readonly dateRanges: (readonly Attribute[])[];
  readonly segments: MediaSegment[];
  pending: Pending;
  /** In force from here on: keys by format, map, bit rate. */
  keys: ReadonlyMap<string, EncryptionKey>;
  keyList: readonly EncryptionKey[];
  map: InitializationMap | undefined;
  kilobitsPerSecond: number | undefined;
}

/**
 * Builds a media playlist out of its lines (RFC 8216bis §4.4.3 to §4.4.5). Unknown tags are passed over (§6.3.1). Throws
 * MEDIA_MALFORMED with the line's number at the first that breaks the specification.
 */
export function parseMedia(lines: Iterable<PlaylistLine>): MediaPlaylist {
  const draft: Draft = {
    version: undefined,
    targetDurationSeconds: undefined,
    mediaSequence: 0,
    discontinuitySequence: 0,
    playlistType: undefined,
    hasEndList: false,
    isIFramesOnly: false,
    hasIndependentSegments: false,
    start: undefined,
    dateRanges: [],
    segments: [],
    pending: {},
    keys: new Map(),
    keyList: [],
    map: undefined,
    kilobitsPerSecond: undefined,
  };
  const seen = new SeenTags();
  let lastLine = 1;
  for (const line of lines) {
    lastLine = line.lineNumber;
    takeLine(draft, line, seen);
  }
  const { version, targetDurationSeconds, playlistType, start } = draft;
  if (targetDurationSeconds === undefined) {
    throw playlistError(lastLine, "the playlist ends without #EXT-X-TARGETDURATION; it must have one.");
  }
  return {
    kind: "media",
    ...(version === undefined ? {} : { version }),
    targetDurationSeconds,
    mediaSequence: draft.mediaSequence,
    discontinuitySequence: draft.discontinuitySequence,
    ...(playlistType === undefined ? {} : { playlistType }),
    hasEndList: draft.hasEndList,
    isIFramesOnly: draft.isIFramesOnly,
    hasIndependentSegments: draft.hasIndependentSegments,
    ...(start === undefined ? {} : { start }),
    dateRanges: draft.dateRanges,
    segments: draft.segments,
  };
}

function takeLine(draft: Draft, line: PlaylistLine, seen: SeenTags): void {
  refuseUnsupported(line);
  if (line.tag === undefined) takeSegment(draft, line);
  else if (!takePlaylistTag(draft, line, seen)) takeSegmentTag(draft, line);
}

/** Tags of the whole playlist (§4.4.1 to §4.4.3). Answers whether it was one. */
function takePlaylistTag(draft: Draft, line: PlaylistLine, seen: SeenTags): boolean {
  const { tag, value, lineNumber } = line;
  switch (tag) {
    case "#EXT-X-VERSION":
      draft.version = parseVersion(line);
      break;
    case "#EXT-X-TARGETDURATION":
      draft.targetDurationSeconds = parseDecimalInteger(value, lineNumber, tag);
      break;
    case "#EXT-X-MEDIA-SEQUENCE":
      requireNoSegments(draft, line);
      draft.mediaSequence = parseDecimalInteger(value, lineNumber, tag);
      break;
    case "#EXT-X-DISCONTINUITY-SEQUENCE":
      requireNoSegments(draft, line);
      draft.discontinuitySequence = parseDecimalInteger(value, lineNumber, tag);
      break;
    case "#EXT-X-PLAYLIST-TYPE":
      if (value !== "VOD" && value !== "EVENT") throw valueError(lineNumber, tag, value, "VOD or EVENT");
      draft.playlistType = value;
      break;
    case "#EXT-X-START":
      draft.start = parseStart(line);
      break;
    case "#EXT-X-ENDLIST":
      draft.hasEndList = true;
      return true;
    case "#EXT-X-I-FRAMES-ONLY":
      draft.isIFramesOnly = true;
      return true;
    case "#EXT-X-INDEPENDENT-SEGMENTS":
      draft.hasIndependentSegments = true;
      return true;
    default:
      return false;
  }
  seen.once(tag, lineNumber);
  return true;
}

/** §4.4.3.2 and §4.4.3.3: these tags must stand before the first segment. */
function requireNoSegments(draft: Draft, { tag = "", lineNumber }: PlaylistLine): void {
  if (draft.segments.length > 0) {
    throw playlistError(lineNumber, `${tag} stands behind a segment; it is allowed before the first alone.`);
  }
}

/** Tags of the next segment, or of all from there on (§4.4.4, §4.4.5). */
function takeSegmentTag(draft: Draft, line: PlaylistLine): void {
  const { tag, value, lineNumber } = line;
  const { pending } = draft;
  switch (tag) {
    case "#EXTINF": {
      const comma = value.indexOf(",");
      pending.durationSeconds = parseDecimal(comma === -1 ? value : value.slice(0, comma), lineNumber, tag);
      pending.title = comma === -1 ? "" : value.slice(comma + 1);
      break;
    }
    case "#EXT-X-BYTERANGE":
      pending.byteRange = { text: value, lineNumber };
      break;
    case "#EXT-X-DISCONTINUITY":
      pending.isDiscontinuity = true;
      break;
    case "#EXT-X-GAP":
      pending.isGap = true;
      break;
    case "#EXT-X-PROGRAM-DATE-TIME":
      if (parseDateTime(value) === undefined) {
        throw valueError(lineNumber, tag, value, "a date and time as ISO 8601 has it");
      }
      pending.programDateTime = value;
      break;
    case "#EXT-X-BITRATE":
      draft.kilobitsPerSecond = parseDecimalInteger(value, lineNumber, tag);
      break;
    case "#EXT-X-KEY":
      takeKey(draft, line);
      break;
    case "#EXT-X-MAP":
      draft.map = { ...parseMap(line), ...(draft.keyList.length === 0 ? {} : { keys: draft.keyList }) };
      break;
    case "#EXT-X-DATERANGE":
      draft.dateRanges.push(parseAttributeList(value, lineNumber));
      break;
    default:
  }
}

/** A key replaces the one of its format; NONE ends all of them (§4.4.4.4). */
function takeKey(draft: Draft, line: PlaylistLine): void {
  const key = parseKey(line);
  const keys = new Map(key === undefined ? [] : draft.keys);
  if (key !== undefined) keys.set(key.keyFormat ?? "identity", key);
  draft.keys = keys;
  draft.keyList = [...keys.values()];
}

function parseMap(line: PlaylistLine): InitializationMap {
  const attributes = readAttributes(line);
  const uri = attributes.needQuoted("URI");
  const range = attributes.quoted("BYTERANGE");
  return range === undefined ? { uri } : { uri, byteRange: parseByteRange(range, line.lineNumber, 0) };
}

function takeSegment(draft: Draft, line: PlaylistLine): void {
  const { pending, map, kilobitsPerSecond } = draft;
  if (pending.durationSeconds === undefined) {
    throw valueError(line.lineNumber, "a line without #EXTINF before it", line.value, "a tag or a comment");
  }
  const before = draft.segments.at(-1);
  const follows = before?.uri === line.value ? before.byteRange : undefined;
  const impliedOffset = follows === undefined ? undefined : follows.offsetBytes + follows.lengthBytes;
  const byteRange =
    pending.byteRange && parseByteRange(pending.byteRange.text, pending.byteRange.lineNumber, impliedOffset);
  draft.segments.push({
    uri: line.value,
    durationSeconds: pending.durationSeconds,
    title: pending.title ?? "",
    ...(byteRange === undefined ? {} : { byteRange }),
    isDiscontinuity: pending.isDiscontinuity ?? false,
    keys: draft.keyList,
    ...(map === undefined ? {} : { map }),
    ...(pending.programDateTime === undefined ? {} : { programDateTime: pending.programDateTime }),
    isGap: pending.isGap ?? false,
    ...(kilobitsPerSecond === undefined || byteRange !== undefined ? {} : { kilobitsPerSecond }),
  });
  draft.pending = {};
}
