import { ReelmillError } from "../../base/errors.ts";
import { serializeAttributeList } from "./attribute-list.ts";
import { formatDecimal, formatDecimalInteger } from "./decimal.ts";
import type { ByteRange, EncryptionKey, InitializationMap, MediaPlaylist, MediaSegment } from "./playlist.ts";
import { hasControlCharacter, shownValue } from "./playlist-error.ts";
import { AttributeWriter, headLines, keyLine, uriLine } from "./serialize-common.ts";

/**
 * Writes a media playlist (RFC 8216bis §4.4.3 to §4.4.5): what `parsePlaylist` reads as the same again, with every byte
 * range's offset. Lines end in LF. Throws MEDIA_MALFORMED where a value cannot stand in a playlist, or a map or bit rate ends
 * without another, which the format cannot say.
 */
export function serializeMedia(playlist: MediaPlaylist): string {
  const { targetDurationSeconds, mediaSequence, discontinuitySequence, playlistType } = playlist;
  const lines = [
    ...headLines(playlist),
    `#EXT-X-TARGETDURATION:${formatDecimalInteger(targetDurationSeconds, "EXT-X-TARGETDURATION")}`,
    `#EXT-X-MEDIA-SEQUENCE:${formatDecimalInteger(mediaSequence, "EXT-X-MEDIA-SEQUENCE")}`,
    ...(discontinuitySequence === 0
      ? []
      : [
          `#EXT-X-DISCONTINUITY-SEQUENCE:${formatDecimalInteger(discontinuitySequence, "EXT-X-DISCONTINUITY-SEQUENCE")}`,
        ]),
    ...(playlistType === undefined ? [] : [`#EXT-X-PLAYLIST-TYPE:${playlistType}`]),
    ...(playlist.isIFramesOnly ? ["#EXT-X-I-FRAMES-ONLY"] : []),
    ...playlist.dateRanges.map((attributes) => `#EXT-X-DATERANGE:${serializeAttributeList(attributes)}`),
  ];
  let before: MediaSegment | undefined;
  for (const segment of playlist.segments) {
    appendSegment(lines, segment, before);
    before = segment;
  }
  if (playlist.hasEndList) lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

function appendSegment(lines: string[], segment: MediaSegment, before: MediaSegment | undefined): void {
  if (segment.isDiscontinuity) lines.push("#EXT-X-DISCONTINUITY");
  appendKeysAndMap(lines, segment, before);
  appendBitRate(lines, segment, before);
  if (segment.programDateTime !== undefined) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${plain(segment.programDateTime)}`);
  if (segment.isGap) lines.push("#EXT-X-GAP");
  lines.push(`#EXTINF:${formatDecimal(segment.durationSeconds, "EXTINF")},${plain(segment.title)}`);
  if (segment.byteRange !== undefined) lines.push(`#EXT-X-BYTERANGE:${formatRange(segment.byteRange)}`);
  lines.push(uriLine(segment.uri));
}

/** One line of text. Throws MEDIA_MALFORMED where it would be more. */
function plain(text: string): string {
  if (!hasControlCharacter(text)) return text;
  throw new ReelmillError("MEDIA_MALFORMED", `${shownValue(text)} holds a control character; none is allowed.`);
}

/** What leads from the keys in force to others (§4.4.4.4). */
function keyLines(keys: readonly EncryptionKey[], before: readonly EncryptionKey[]): readonly string[] {
  if (isSameKeys(keys, before)) return [];
  const formatsOf = (list: readonly EncryptionKey[]) => list.map((key) => key.keyFormat ?? "identity").join("\n");
  const ends = before.length > 0 && formatsOf(keys) !== formatsOf(before) ? ["#EXT-X-KEY:METHOD=NONE"] : [];
  return [...ends, ...keys.map((key) => keyLine("#EXT-X-KEY", key))];
}

/** A map stands before or behind the keys, which decides whether they apply to it (§4.4.4.4). */
function appendKeysAndMap(lines: string[], { keys, map }: MediaSegment, before: MediaSegment | undefined): void {
  const mapLines: string[] = [];
  appendMap(mapLines, map, before?.map);
  const keysBefore = before?.keys ?? [];
  const isBefore = isSameKeys(map?.keys ?? [], keysBefore);
  if (mapLines.length > 0 && !isBefore && !isSameKeys(map?.keys ?? [], keys)) {
    throw new ReelmillError("MEDIA_MALFORMED", "The keys of EXT-X-MAP are neither those before it nor its segment's.");
  }
  if (isBefore) lines.push(...mapLines);
  lines.push(...keyLines(keys, keysBefore));
  if (!isBefore) lines.push(...mapLines);
}

function isSameKeys(a: readonly EncryptionKey[], b: readonly EncryptionKey[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function appendMap(lines: string[], map: InitializationMap | undefined, before: InitializationMap | undefined): void {
  if (map === undefined && before !== undefined) throw cannotEnd("EXT-X-MAP");
  if (map === undefined || isSameMap(map, before)) return;
  const range = map.byteRange === undefined ? undefined : formatRange(map.byteRange);
  lines.push(new AttributeWriter().quoted("URI", map.uri).quoted("BYTERANGE", range).line("#EXT-X-MAP"));
}

function isSameMap(map: InitializationMap, before: InitializationMap | undefined): boolean {
  return (
    map.uri === before?.uri &&
    isSameKeys(map.keys ?? [], before.keys ?? []) &&
    map.byteRange?.offsetBytes === before.byteRange?.offsetBytes &&
    map.byteRange?.lengthBytes === before.byteRange?.lengthBytes
  );
}

/** EXT-X-BITRATE says nothing of segments with a byte range (§4.4.4.8), so that those need no line. */
function appendBitRate(lines: string[], segment: MediaSegment, before: MediaSegment | undefined): void {
  const { kilobitsPerSecond: rate, byteRange } = segment;
  if (byteRange !== undefined) {
    if (rate !== undefined) throw new ReelmillError("MEDIA_MALFORMED", "EXT-X-BITRATE does not go with a byte range.");
    return;
  }
  if (rate === undefined) {
    if (before?.kilobitsPerSecond !== undefined) throw cannotEnd("EXT-X-BITRATE");
  } else if (rate !== before?.kilobitsPerSecond) {
    lines.push(`#EXT-X-BITRATE:${formatDecimalInteger(rate, "EXT-X-BITRATE")}`);
  }
}

function cannotEnd(tag: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `${tag} applies to every later segment; one without it cannot follow.`);
}

function formatRange({ offsetBytes, lengthBytes }: ByteRange): string {
  return `${formatDecimalInteger(lengthBytes, "A byte range's length")}@${formatDecimalInteger(offsetBytes, "A byte range's offset")}`;
}
