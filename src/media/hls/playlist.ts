import type { Attribute } from "./attribute-list.ts";

/** A sub-range of a resource (RFC 8216bis §4.4.4.2). */
export interface ByteRange {
  /** From the start of the resource. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** EXT-X-START (§4.4.2.2). */
export interface StartPoint {
  /** From the beginning of the playlist, or from its end where negative. */
  readonly offsetSeconds: number;
  readonly isPrecise: boolean;
}

/** EXT-X-KEY other than METHOD=NONE (§4.4.4.4), or EXT-X-SESSION-KEY (§4.4.6.5). */
export interface EncryptionKey {
  /** `AES-128`, `SAMPLE-AES`, `SAMPLE-AES-CTR`, or a method of a later version. */
  readonly method: string;
  readonly uri: string;
  /** 128 bits as `0x` and hexadecimal digits, as written. */
  readonly initializationVector?: string;
  /** Undefined: `identity`. */
  readonly keyFormat?: string;
  readonly keyFormatVersions?: string;
}

/** EXT-X-MAP (§4.4.4.5): where the Media Initialization Section lies. */
export interface InitializationMap {
  readonly uri: string;
  /** Undefined: the whole resource. */
  readonly byteRange?: ByteRange;
  /** The keys in force where the tag stands, which apply to it, too; undefined where there are none. */
  readonly keys?: readonly EncryptionKey[];
}

/** One media segment with all that applies to it (§4.4.4). */
export interface MediaSegment {
  /** As written, relative to the playlist. */
  readonly uri: string;
  /** EXTINF. */
  readonly durationSeconds: number;
  /** Behind EXTINF's comma; empty where there is none. */
  readonly title: string;
  /** Undefined: the whole resource. Implied offsets are resolved. */
  readonly byteRange?: ByteRange;
  readonly isDiscontinuity: boolean;
  /** The keys in force, one per key format; empty where the segment is not encrypted. */
  readonly keys: readonly EncryptionKey[];
  readonly map?: InitializationMap;
  /** ISO 8601, as written. */
  readonly programDateTime?: string;
  readonly isGap: boolean;
  /** EXT-X-BITRATE in force, in kbit/s; never with a byte range. */
  readonly kilobitsPerSecond?: number;
}

/** A media playlist (§4.4.3 and on). Unknown tags and attributes are not kept. */
export interface MediaPlaylist {
  readonly kind: "media";
  /** EXT-X-VERSION; undefined where it is not there, which means 1. */
  readonly version?: number;
  /** EXT-X-TARGETDURATION, a whole number. */
  readonly targetDurationSeconds: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly playlistType?: "VOD" | "EVENT";
  readonly hasEndList: boolean;
  readonly isIFramesOnly: boolean;
  readonly hasIndependentSegments: boolean;
  readonly start?: StartPoint;
  /** The attributes of each EXT-X-DATERANGE, in the order of the file. */
  readonly dateRanges: readonly (readonly Attribute[])[];
  readonly segments: readonly MediaSegment[];
}

/** The TYPE of EXT-X-MEDIA. */
export type RenditionType = "AUDIO" | "VIDEO" | "SUBTITLES" | "CLOSED-CAPTIONS";

/** EXT-X-MEDIA (§4.4.6.1). */
export interface Rendition {
  readonly type: RenditionType;
  readonly groupId: string;
  readonly name: string;
  /** As written, relative to the playlist; undefined where the media are part of the variant streams. */
  readonly uri?: string;
  /** BCP 47. */
  readonly language?: string;
  readonly associatedLanguage?: string;
  readonly stableRenditionId?: string;
  readonly isDefault: boolean;
  /** Undefined where AUTOSELECT is not written. */
  readonly isAutoselect?: boolean;
  readonly isForced: boolean;
  readonly instreamId?: string;
  readonly bitDepth?: number;
  readonly sampleRateHz?: number;
  /** Comma-separated Uniform Type Identifiers. */
  readonly characteristics?: string;
  /** As written; for sound the channel count, then perhaps `/` and more. */
  readonly channels?: string;
}

/** What EXT-X-STREAM-INF and EXT-X-I-FRAME-STREAM-INF have in common (§4.4.6.2, §4.4.6.3). */
export interface StreamAttributes {
  /** Of the media playlist, as written, relative to this one. */
  readonly uri: string;
  /** BANDWIDTH. */
  readonly bandwidthBitsPerSecond: number;
  /** AVERAGE-BANDWIDTH. */
  readonly averageBandwidthBitsPerSecond?: number;
  readonly score?: number;
  /** The formats in CODECS, in their order. */
  readonly codecs?: readonly string[];
  readonly supplementalCodecs?: string;
  readonly resolution?: { readonly widthPixels: number; readonly heightPixels: number };
  /** `TYPE-0`, `TYPE-1` or `NONE`. */
  readonly hdcpLevel?: string;
  readonly allowedCpc?: string;
  /** `SDR`, `HLG` or `PQ`. */
  readonly videoRange?: string;
  readonly requiredVideoLayout?: string;
  readonly stableVariantId?: string;
  /** Group of renditions with TYPE=VIDEO. */
  readonly videoGroupId?: string;
  readonly pathwayId?: string;
}

/** EXT-X-STREAM-INF with the line behind it (§4.4.6.2). */
export interface VariantStream extends StreamAttributes {
  readonly framesPerSecond?: number;
  /** Groups of renditions with TYPE=AUDIO and TYPE=SUBTITLES. */
  readonly audioGroupId?: string;
  readonly subtitlesGroupId?: string;
  /** A group's id, or null for CLOSED-CAPTIONS=NONE. */
  readonly closedCaptionsGroupId?: string | null;
}

/** EXT-X-SESSION-DATA (§4.4.6.4): a value, or where it lies. */
export interface SessionData {
  readonly dataId: string;
  readonly value?: string;
  readonly uri?: string;
  /** `JSON` (default) or `RAW`. */
  readonly format?: string;
  readonly language?: string;
}

/** A multivariant playlist (§4.4.6). Unknown tags and attributes are not kept. */
export interface MultivariantPlaylist {
  readonly kind: "multivariant";
  /** EXT-X-VERSION; undefined where it is not there, which means 1. */
  readonly version?: number;
  readonly hasIndependentSegments: boolean;
  readonly start?: StartPoint;
  readonly renditions: readonly Rendition[];
  /** In the order of the file: the first is what players begin with. */
  readonly variants: readonly VariantStream[];
  readonly iFrameVariants: readonly StreamAttributes[];
  readonly sessionData: readonly SessionData[];
  readonly sessionKeys: readonly EncryptionKey[];
}

/** Either kind of playlist; no file is both (§4.1). */
export type Playlist = MediaPlaylist | MultivariantPlaylist;
