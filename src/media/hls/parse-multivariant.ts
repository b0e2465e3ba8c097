import type { AttributeReader } from "./attribute-list.ts";
import { parseDecimalInteger } from "./decimal.ts";
import { parseKey, parseStart, parseVersion, readAttributes, refuseUnsupported, SeenTags } from "./parse-common.ts";
import type {
  EncryptionKey,
  MultivariantPlaylist,
  Rendition,
  RenditionType,
  SessionData,
  StartPoint,
  StreamAttributes,
  VariantStream,
} from "./playlist.ts";
import { playlistError, valueError } from "./playlist-error.ts";
import type { PlaylistLine } from "./playlist-lines.ts";

const RENDITION_TYPES: readonly RenditionType[] = ["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"];

interface Draft {
  version: number | undefined;
  hasIndependentSegments: boolean;
  start: StartPoint | undefined;
  readonly renditions: Rendition[];
  readonly variants: VariantStream[];
  readonly iFrameVariants: StreamAttributes[];
  readonly sessionData: SessionData[];
  readonly sessionKeys: EncryptionKey[];
  /** The EXT-X-STREAM-INF that waits for its URI. */
  pending: AttributeReader | undefined;
}

/**
 * Builds a multivariant playlist out of its lines (RFC 8216bis §4.4.6). Unknown tags and attributes are passed over (§6.3.1).
 * Throws MEDIA_MALFORMED with the line's number at the first that breaks the specification.
 */
export function parseMultivariant(lines: Iterable<PlaylistLine>): MultivariantPlaylist {
  const draft: Draft = {
    version: undefined,
    hasIndependentSegments: false,
    start: undefined,
    renditions: [],
    variants: [],
    iFrameVariants: [],
    sessionData: [],
    sessionKeys: [],
    pending: undefined,
  };
  const seen = new SeenTags();
  for (const line of lines) takeLine(draft, line, seen);
  if (draft.pending !== undefined) {
    throw playlistError(draft.pending.lineNumber, "#EXT-X-STREAM-INF is not followed by a URI; it must be.");
  }
  const { version, start, pending: _, ...lists } = draft;
  return {
    kind: "multivariant",
    ...(version === undefined ? {} : { version }),
    ...(start === undefined ? {} : { start }),
    ...lists,
  };
}

function takeLine(draft: Draft, line: PlaylistLine, seen: SeenTags): void {
  refuseUnsupported(line);
  if (line.tag === undefined) {
    takeUri(draft, line);
    return;
  }
  if (draft.pending !== undefined) {
    throw playlistError(line.lineNumber, `${line.tag} stands between #EXT-X-STREAM-INF and its URI; nothing may.`);
  }
  switch (line.tag) {
    case "#EXT-X-VERSION":
      seen.once(line.tag, line.lineNumber);
      draft.version = parseVersion(line);
      break;
    case "#EXT-X-INDEPENDENT-SEGMENTS":
      draft.hasIndependentSegments = true;
      break;
    case "#EXT-X-START":
      seen.once(line.tag, line.lineNumber);
      draft.start = parseStart(line);
      break;
    case "#EXT-X-MEDIA":
      draft.renditions.push(parseRendition(readAttributes(line)));
      break;
    case "#EXT-X-STREAM-INF":
      draft.pending = readAttributes(line);
      break;
    case "#EXT-X-I-FRAME-STREAM-INF": {
      const attributes = readAttributes(line);
      draft.iFrameVariants.push(parseStream(attributes, attributes.needQuoted("URI")));
      break;
    }
    case "#EXT-X-SESSION-DATA":
      draft.sessionData.push(parseSessionData(readAttributes(line)));
      break;
    case "#EXT-X-SESSION-KEY":
      takeSessionKey(draft, line);
      break;
    default:
  }
}

function takeUri(draft: Draft, line: PlaylistLine): void {
  const attributes = draft.pending;
  if (attributes === undefined) {
    throw valueError(line.lineNumber, "a line without #EXT-X-STREAM-INF before it", line.value, "a tag or a comment");
  }
  draft.pending = undefined;
  draft.variants.push(parseVariant(attributes, line.value));
}

function takeSessionKey(draft: Draft, line: PlaylistLine): void {
  const key = parseKey(line);
  if (key === undefined)
    throw valueError(line.lineNumber, "METHOD of #EXT-X-SESSION-KEY", "NONE", "a method of encryption");
  draft.sessionKeys.push(key);
}

/** The given fields without those that are undefined. */
function defined<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function parseVariant(attributes: AttributeReader, uri: string): VariantStream {
  const hasCaptionsGroup = attributes.isQuoted("CLOSED-CAPTIONS");
  const captions = hasCaptionsGroup ? attributes.quoted("CLOSED-CAPTIONS") : attributes.word("CLOSED-CAPTIONS");
  if (captions !== undefined && !hasCaptionsGroup && captions !== "NONE") {
    throw valueError(
      attributes.lineNumber,
      `CLOSED-CAPTIONS of ${attributes.tag}`,
      captions,
      "a group in quotes or NONE",
    );
  }
  return {
    ...parseStream(attributes, uri),
    ...defined<Omit<VariantStream, keyof StreamAttributes>>({
      framesPerSecond: attributes.decimal("FRAME-RATE"),
      audioGroupId: attributes.quoted("AUDIO"),
      subtitlesGroupId: attributes.quoted("SUBTITLES"),
      closedCaptionsGroupId: captions === undefined || hasCaptionsGroup ? captions : null,
    }),
  };
}

function parseStream(attributes: AttributeReader, uri: string): StreamAttributes {
  const codecs = attributes.quoted("CODECS");
  return defined<StreamAttributes>({
    uri,
    bandwidthBitsPerSecond: attributes.needInteger("BANDWIDTH"),
    averageBandwidthBitsPerSecond: attributes.integer("AVERAGE-BANDWIDTH"),
    score: attributes.decimal("SCORE"),
    codecs: codecs?.split(",").map((codec) => codec.trim()),
    supplementalCodecs: attributes.quoted("SUPPLEMENTAL-CODECS"),
    resolution: parseResolution(attributes),
    hdcpLevel: attributes.word("HDCP-LEVEL"),
    allowedCpc: attributes.quoted("ALLOWED-CPC"),
    videoRange: attributes.word("VIDEO-RANGE"),
    requiredVideoLayout: attributes.quoted("REQ-VIDEO-LAYOUT"),
    stableVariantId: attributes.quoted("STABLE-VARIANT-ID"),
    videoGroupId: attributes.quoted("VIDEO"),
    pathwayId: attributes.quoted("PATHWAY-ID"),
  });
}

/** A decimal-resolution (§4.2): width, `x`, height. */
function parseResolution(attributes: AttributeReader): StreamAttributes["resolution"] {
  const text = attributes.word("RESOLUTION");
  if (text === undefined) return undefined;
  const what = `RESOLUTION of ${attributes.tag}`;
  const [width = "", height, ...more] = text.split("x");
  if (height === undefined || more.length > 0) {
    throw valueError(attributes.lineNumber, what, text, "width and height, such as 1280x720,");
  }
  return {
    widthPixels: parseDecimalInteger(width, attributes.lineNumber, what, 1),
    heightPixels: parseDecimalInteger(height, attributes.lineNumber, what, 1),
  };
}

function parseRendition(attributes: AttributeReader): Rendition {
  const typeText = attributes.needWord("TYPE");
  const type = RENDITION_TYPES.find((known) => known === typeText);
  if (type === undefined) {
    throw valueError(attributes.lineNumber, "TYPE of #EXT-X-MEDIA", typeText, RENDITION_TYPES.join(", "));
  }
  return defined<Rendition>({
    type,
    groupId: attributes.needQuoted("GROUP-ID"),
    name: attributes.needQuoted("NAME"),
    uri: attributes.quoted("URI"),
    language: attributes.quoted("LANGUAGE"),
    associatedLanguage: attributes.quoted("ASSOC-LANGUAGE"),
    stableRenditionId: attributes.quoted("STABLE-RENDITION-ID"),
    isDefault: attributes.flag("DEFAULT") ?? false,
    isAutoselect: attributes.flag("AUTOSELECT"),
    isForced: attributes.flag("FORCED") ?? false,
    instreamId: attributes.quoted("INSTREAM-ID"),
    bitDepth: attributes.integer("BIT-DEPTH"),
    sampleRateHz: attributes.integer("SAMPLE-RATE"),
    characteristics: attributes.quoted("CHARACTERISTICS"),
    channels: attributes.quoted("CHANNELS"),
  });
}

function parseSessionData(attributes: AttributeReader): SessionData {
  return defined<SessionData>({
    dataId: attributes.needQuoted("DATA-ID"),
    value: attributes.quoted("VALUE"),
    uri: attributes.quoted("URI"),
    format: attributes.word("FORMAT"),
    language: attributes.quoted("LANGUAGE"),
  });
}
