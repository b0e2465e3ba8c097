import fc from "fast-check";
import type {
  EncryptionKey,
  MediaPlaylist,
  MediaSegment,
  MultivariantPlaylist,
  Rendition,
  StreamAttributes,
  VariantStream,
} from "./playlist.ts";

/** Text as a quoted string may hold it. */
const quoted = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !/["\p{Cc}]/u.test(text));
const word = fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/);
const uri = fc.stringMatching(/^[a-z0-9%_./-]{1,20}$/);
/** Smaller ones than 10^-80 lose digits, since `toFixed` writes no more than a hundred. */
const decimal = fc.double({ min: 0, max: 1e12, noNaN: true }).map((value) => (value < 1e-80 ? 0 : value));
const integer = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const positive = integer.map((value) => value + 1).filter(Number.isSafeInteger);
const start = fc.record({ offsetSeconds: decimal, isPrecise: fc.boolean() });

const key: fc.Arbitrary<EncryptionKey> = fc.record(
  {
    method: fc.constantFrom("AES-128", "SAMPLE-AES"),
    uri: quoted,
    initializationVector: fc.stringMatching(/^0x[0-9a-f]{32}$/),
    keyFormatVersions: quoted,
  },
  { requiredKeys: ["method", "uri"] },
);

/** Keys of formats that differ, as they can be in force together. */
const keys = fc
  .uniqueArray(fc.tuple(fc.option(word, { nil: undefined }), key), {
    maxLength: 3,
    selector: ([format]) => format ?? "identity",
  })
  .map((list) => list.map(([format, one]) => (format === undefined ? one : { ...one, keyFormat: format })));

const stream: fc.Arbitrary<StreamAttributes> = fc.record(
  {
    uri,
    bandwidthBitsPerSecond: integer,
    averageBandwidthBitsPerSecond: integer,
    score: decimal,
    codecs: fc.array(word, { minLength: 1, maxLength: 3 }),
    supplementalCodecs: quoted,
    resolution: fc.record({ widthPixels: positive, heightPixels: positive }),
    hdcpLevel: word,
    allowedCpc: quoted,
    videoRange: fc.constantFrom("SDR", "HLG", "PQ"),
    requiredVideoLayout: quoted,
    stableVariantId: quoted,
    videoGroupId: quoted,
    pathwayId: quoted,
  },
  { requiredKeys: ["uri", "bandwidthBitsPerSecond"] },
);

const variant: fc.Arbitrary<VariantStream> = fc
  .tuple(
    stream,
    fc.record(
      {
        framesPerSecond: decimal,
        audioGroupId: quoted,
        subtitlesGroupId: quoted,
        closedCaptionsGroupId: fc.option(quoted, { nil: null }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([common, own]) => ({ ...common, ...own }));

const rendition: fc.Arbitrary<Rendition> = fc.record(
  {
    type: fc.constantFrom("AUDIO" as const, "VIDEO" as const, "SUBTITLES" as const, "CLOSED-CAPTIONS" as const),
    groupId: quoted,
    name: quoted,
    uri: quoted,
    language: quoted,
    associatedLanguage: quoted,
    stableRenditionId: quoted,
    isDefault: fc.boolean(),
    isAutoselect: fc.boolean(),
    isForced: fc.boolean(),
    instreamId: quoted,
    bitDepth: integer,
    sampleRateHz: integer,
    characteristics: quoted,
    channels: quoted,
  },
  { requiredKeys: ["type", "groupId", "name", "isDefault", "isForced"] },
);

/** Multivariant playlists with every attribute there or not, one variant stream at least. */
export const multivariantPlaylists: fc.Arbitrary<MultivariantPlaylist> = fc.record(
  {
    kind: fc.constant("multivariant" as const),
    version: positive,
    hasIndependentSegments: fc.boolean(),
    start,
    renditions: fc.array(rendition, { maxLength: 3 }),
    variants: fc.array(variant, { minLength: 1, maxLength: 3 }),
    iFrameVariants: fc.array(stream, { maxLength: 2 }),
    sessionData: fc.array(
      fc.record(
        { dataId: quoted, value: quoted, uri: quoted, format: word, language: quoted },
        { requiredKeys: ["dataId"] },
      ),
      { maxLength: 2 },
    ),
    sessionKeys: fc.array(key, { maxLength: 2 }),
  },
  {
    requiredKeys: [
      "kind",
      "hasIndependentSegments",
      "renditions",
      "variants",
      "iFrameVariants",
      "sessionData",
      "sessionKeys",
    ],
  },
);

const byteRange = fc.record({ offsetBytes: fc.nat(), lengthBytes: fc.nat().map((value) => value + 1) });

const segment: fc.Arbitrary<MediaSegment> = fc.record(
  {
    uri: uri.filter((text) => !text.startsWith("#")),
    durationSeconds: decimal,
    title: quoted,
    byteRange,
    isDiscontinuity: fc.boolean(),
    keys,
    programDateTime: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date("2200-01-01") })
      .map((date) => date.toISOString()),
    isGap: fc.boolean(),
  },
  { requiredKeys: ["uri", "durationSeconds", "title", "isDiscontinuity", "keys", "isGap"] },
);

const map = fc.record({ uri: quoted, byteRange }, { requiredKeys: ["uri"] });

/** The map with the keys of the segment, or, at odd places, of the one before; a map that goes on keeps its own. */
function keyedMap(
  map: MediaSegment["map"],
  last: MediaSegment["map"],
  segments: readonly MediaSegment[],
  index: number,
): NonNullable<MediaSegment["map"]> | undefined {
  if (map === undefined) return undefined;
  const { keys: _keys, ...plain } = last ?? { uri: "" };
  if (last !== undefined && JSON.stringify(plain) === JSON.stringify(map)) return last;
  const keys = segments[index % 2 === 1 ? index - 1 : index]?.keys ?? [];
  return keys.length === 0 ? map : { ...map, keys };
}

/** Gives each segment from `from` on a map, and rates to those without a range, as the format can say it. */
function withLasting(
  segments: readonly MediaSegment[],
  maps: readonly NonNullable<MediaSegment["map"]>[],
  from: number,
  rates: readonly number[],
): readonly MediaSegment[] {
  let last: NonNullable<MediaSegment["map"]> | undefined;
  return segments.map((one, index) => {
    const lasting = index >= from ? keyedMap(maps[index % maps.length], last, segments, index) : undefined;
    last = lasting;
    const rate = one.byteRange === undefined ? rates[index % rates.length] : undefined;
    return {
      ...one,
      ...(lasting === undefined ? {} : { map: lasting }),
      ...(rate === undefined ? {} : { kilobitsPerSecond: rate }),
    };
  });
}

const segments = fc
  .tuple(
    fc.array(segment, { maxLength: 6 }),
    fc.array(map, { minLength: 1, maxLength: 3 }),
    fc.nat({ max: 8 }),
    fc.array(integer, { maxLength: 2 }),
  )
  .map(([list, maps, from, rates]) => withLasting(list, maps, from, rates));

/** Media playlists with every tag there or not. */
export const mediaPlaylists: fc.Arbitrary<MediaPlaylist> = fc.record(
  {
    kind: fc.constant("media" as const),
    version: positive,
    targetDurationSeconds: integer,
    mediaSequence: integer,
    discontinuitySequence: integer,
    playlistType: fc.constantFrom("VOD" as const, "EVENT" as const),
    hasEndList: fc.boolean(),
    isIFramesOnly: fc.boolean(),
    hasIndependentSegments: fc.boolean(),
    start,
    dateRanges: fc.array(
      fc.tuple(quoted, word).map(([id, text]) => [
        { name: "ID", text: id, isQuoted: true },
        { name: "X-COM-EXAMPLE", text, isQuoted: false },
      ]),
      { maxLength: 2 },
    ),
    segments,
  },
  {
    requiredKeys: [
      "kind",
      "targetDurationSeconds",
      "mediaSequence",
      "discontinuitySequence",
      "hasEndList",
      "isIFramesOnly",
      "hasIndependentSegments",
      "dateRanges",
      "segments",
    ],
  },
);
