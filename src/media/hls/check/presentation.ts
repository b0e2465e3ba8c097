import type { ByteSource } from "../../bytes/byte-source.ts";
import type {
  EncryptionKey,
  MediaPlaylist,
  MultivariantPlaylist,
  Rendition,
  StreamAttributes,
  VariantStream,
} from "../playlist.ts";
import type { VersionNeed } from "../required-version.ts";
import type { SegmentTable } from "./segment-table.ts";

/** A file of the presentation, open until `close`. */
export interface OpenedSource extends ByteSource {
  close(): void;
}

/**
 * Opens a file by its path below the presentation's folder, `/` between its parts. Throws a ReelmillError where there is none
 * or it cannot be read.
 */
export type OpenSource = (path: string, signal: AbortSignal) => Promise<OpenedSource>;

/**
 * Makes AES-128 (RFC 8216bis §4.4.4.4) readable again: the bytes of a whole encrypted resource as they were before. Undefined where the key is
 * not at hand. Throws MEDIA_MALFORMED where it does not fit.
 */
export type DecryptSource = (
  encrypted: ByteSource,
  key: EncryptionKey,
  initializationVector: Uint8Array,
) => ByteSource | undefined;

/** What is found while a presentation is read, by the rule that it breaks. */
export type FaultKind =
  | "playlist-syntax"
  | "references-relative"
  | "files-exist"
  | "byte-ranges-within-file"
  | "map-for-fmp4"
  | "segments-readable";

/** Something that kept a file from being read. */
export interface PresentationFault {
  readonly kind: FaultKind;
  /** Playlist, or playlist and segment. */
  readonly where: string;
  readonly message: string;
}

/** A media playlist that was read, with its segments measured. */
export interface MeasuredPlaylist {
  /** Below the presentation's folder. */
  readonly path: string;
  readonly playlist: Omit<MediaPlaylist, "segments">;
  readonly segments: SegmentTable;
  /** Of its segments and maps, each once; those that stand for several segments, too. */
  readonly keys: readonly EncryptionKey[];
  /** The lowest version that it may announce. */
  readonly versionNeed: VersionNeed;
  /** Whether a segment is encrypted and its bytes could not be looked at for that. */
  readonly isEncrypted: boolean;
}

/** A variant stream, an I-frame stream or a rendition with its playlist; undefined where there is none or it was not read. */
export interface VariantView {
  readonly variant: VariantStream;
  readonly media: MeasuredPlaylist | undefined;
}

/** As `VariantView`, of EXT-X-I-FRAME-STREAM-INF. */
export interface IFrameView {
  readonly variant: StreamAttributes;
  readonly media: MeasuredPlaylist | undefined;
}

/** As `VariantView`, of EXT-X-MEDIA. */
export interface RenditionView {
  readonly rendition: Rendition;
  readonly media: MeasuredPlaylist | undefined;
}

/** All that the rules look at. */
export interface Presentation {
  /** Undefined where the presentation is a single media playlist, or its multivariant playlist cannot be read. */
  readonly multivariant: MultivariantPlaylist | undefined;
  /** The multivariant playlist's path, or the single media playlist's. */
  readonly rootPath: string;
  readonly variants: readonly VariantView[];
  readonly iFrames: readonly IFrameView[];
  readonly renditions: readonly RenditionView[];
  /** Every media playlist that was read, once, in the order of their mention. */
  readonly playlists: readonly MeasuredPlaylist[];
  readonly faults: readonly PresentationFault[];
}
