import { ReelmillError } from "../../../base/errors.ts";
import type { ByteSource } from "../../bytes/byte-source.ts";
import { partOfSource } from "../../bytes/part-source.ts";
import { parseDateTime } from "../date-time.ts";
import type { ByteRange, EncryptionKey, InitializationMap, MediaPlaylist, MediaSegment } from "../playlist.ts";
import { requiredVersion } from "../required-version.ts";
import { resolveReference } from "../resolve-reference.ts";
import { SAMPLE_SCHEMES } from "../sample-schemes.ts";
import { createRecentFrames } from "./busiest-second.ts";
import type { SegmentContent } from "./measure.ts";
import { containerAt, measureSegment } from "./measure-segment.ts";
import { createTransportStreamState } from "./measure-transport-stream.ts";
import type { DecryptSource, MeasuredPlaylist, OpenedSource, OpenSource, PresentationFault } from "./presentation.ts";
import { type InitializedTrack, readInitialization } from "./read-initialization.ts";
import { type MeasuredSegment, SegmentTable } from "./segment-table.ts";

/** So many faults are told of one playlist: a folder that is missing would fill pages. */
const MAX_FAULTS = 50;
/** So many segments are measured before other work has its turn. */
const SEGMENTS_PER_TURN = 16;

/** How files are opened, and encrypted ones read. */
export interface PresentationAccess {
  readonly open: OpenSource;
  /** Undefined: what is encrypted is not looked into. */
  readonly decrypt?: DecryptSource | undefined;
}

/**
 * Measures every segment of a media playlist, one at a time and one file open at a time. What cannot be read is added to
 * `faults`. Throws ABORTED.
 */
export async function measurePlaylist(
  playlist: MediaPlaylist,
  path: string,
  access: PresentationAccess,
  faults: PresentationFault[],
  signal: AbortSignal,
): Promise<MeasuredPlaylist> {
  const measuring = new Measuring(playlist, path, access, faults, signal);
  const table = new SegmentTable();
  let isEncrypted = false;
  try {
    for (const [index, segment] of playlist.segments.entries()) {
      if (signal.aborted) throw new ReelmillError("ABORTED", "The check was cancelled.");
      const { sizeBytes, content } = await measuring.measure(segment, index);
      const { programDateTime: date } = segment;
      table.push({ ...segment, dateMs: date === undefined ? undefined : parseDateTime(date) }, sizeBytes, content);
      isEncrypted ||= segment.keys.length > 0 && content === undefined && sizeBytes !== undefined;
      // Reads are synchronous: a signal is heard, and others have their turn, only where this lets go.
      if (index % SEGMENTS_PER_TURN === 0) await new Promise((settle) => setTimeout(settle, 0));
    }
  } finally {
    measuring.close();
  }
  const { segments, ...head } = playlist;
  const keys = new Set([
    ...segments.flatMap((segment) => segment.keys),
    ...segments.flatMap(({ map }) => map?.keys ?? []),
  ]);
  const versionNeed = requiredVersion(playlist);
  return { path, playlist: head, segments: table, keys: [...keys], versionNeed, isEncrypted };
}

interface Place {
  readonly source: ByteSource;
  readonly startBytes: number;
  readonly endBytes: number;
}

/** 128 bits of `0x` and hexadecimal digits, which may be fewer than 32. */
function vectorOf({ initializationVector = "" }: EncryptionKey): Uint8Array {
  const digits = initializationVector.slice(2).padStart(32, "0");
  return Uint8Array.from({ length: 16 }, (_, index) => Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16));
}

/** Where none is told, the Media Sequence Number (§4.4.4.4). */
function segmentVector({ mediaSequence }: MediaPlaylist, index: number): Uint8Array {
  const vector = new Uint8Array(16);
  new DataView(vector.buffer).setBigUint64(8, BigInt(mediaSequence + index));
  return vector;
}

class Measuring {
  readonly #playlist: MediaPlaylist;
  readonly #path: string;
  readonly #access: PresentationAccess;
  readonly #faults: PresentationFault[];
  readonly #signal: AbortSignal;
  #toldCount = 0;
  #source: { readonly path: string; readonly opened: OpenedSource } | undefined;
  #initialization:
    | { readonly map: InitializationMap; readonly tracks: readonly InitializedTrack[] | undefined }
    | undefined;
  #transportStream = createTransportStreamState();
  #recentFrames = createRecentFrames();

  constructor(
    playlist: MediaPlaylist,
    path: string,
    access: PresentationAccess,
    faults: PresentationFault[],
    signal: AbortSignal,
  ) {
    this.#playlist = playlist;
    this.#path = path;
    this.#access = access;
    this.#faults = faults;
    this.#signal = signal;
  }

  close(): void {
    this.#source?.opened.close();
    this.#source = undefined;
  }

  async measure(segment: MediaSegment, index: number): Promise<Pick<MeasuredSegment, "sizeBytes" | "content">> {
    const where = `${this.#path}, segment ${index}`;
    if (segment.isGap) return { sizeBytes: undefined, content: undefined };
    if (segment.isDiscontinuity) {
      this.#transportStream = createTransportStreamState();
      this.#recentFrames = createRecentFrames();
    }
    const tracks = await this.#tracksOf(segment.map, where);
    const place = await this.#locate(segment.uri, segment.byteRange, where);
    if (place === undefined) return { sizeBytes: undefined, content: undefined };
    const sizeBytes = place.endBytes - place.startBytes;
    const plain = this.#decrypted(place, segment.keys, segmentVector(this.#playlist, index), where);
    if (plain === undefined) return { sizeBytes, content: undefined };
    const { source, startBytes, endBytes } = plain;
    const isBare = segment.map === undefined && containerAt(source, startBytes) === "fmp4";
    if (isBare) this.#fault("map-for-fmp4", where, "Fragmented MP4 stands here without EXT-X-MAP.");
    const isReadable = !isBare && !(segment.map !== undefined && tracks === undefined);
    const content = isReadable ? this.#read(source, startBytes, endBytes, tracks, where) : undefined;
    return { sizeBytes, content };
  }

  /** The place's bytes as they were before AES-128; undefined where they cannot be had. Where samples alone are encrypted, all that is measured is clear. */
  #decrypted(place: Place, keys: readonly EncryptionKey[], vector: Uint8Array, where: string): Place | undefined {
    if (keys.length === 0) return place;
    if (keys.every(({ method }) => SAMPLE_SCHEMES.has(method))) return place;
    const key = keys.find(({ method, keyFormat = "identity" }) => method === "AES-128" && keyFormat === "identity");
    if (key === undefined || this.#access.decrypt === undefined) return undefined;
    const { source, startBytes, endBytes } = place;
    // Ranges of I-frame playlists count the bytes of the whole resource before it was encrypted (§6.3.6).
    const isWithin = this.#playlist.isIFramesOnly;
    const resource = isWithin ? source : partOfSource(source, startBytes, endBytes);
    try {
      const plain = this.#access.decrypt(resource, key, key.initializationVector ? vectorOf(key) : vector);
      if (plain === undefined) return undefined;
      if (!isWithin) return { source: plain, startBytes: 0, endBytes: plain.sizeBytes };
      return { source: plain, startBytes, endBytes: Math.min(endBytes, plain.sizeBytes) };
    } catch (error) {
      if (!(error instanceof ReelmillError)) throw error;
      this.#fault("segments-readable", where, error.message);
      return undefined;
    }
  }

  #read(
    source: ByteSource,
    startBytes: number,
    endBytes: number,
    tracks: readonly InitializedTrack[] | undefined,
    where: string,
  ): SegmentContent | undefined {
    const isIFrame = this.#playlist.isIFramesOnly;
    const carried = { transportStream: this.#transportStream, recentFrames: this.#recentFrames };
    try {
      return measureSegment({ source, startBytes, endBytes, tracks, ...carried, isIFrame });
    } catch (error) {
      if (!(error instanceof ReelmillError)) throw error;
      this.#fault("segments-readable", where, error.message);
      return undefined;
    }
  }

  /** The tracks of a map, read once for all segments that it applies to. */
  async #tracksOf(map: InitializationMap | undefined, where: string): Promise<readonly InitializedTrack[] | undefined> {
    if (map === undefined) return undefined;
    if (this.#initialization?.map === map) return this.#initialization.tracks;
    const place = await this.#locate(map.uri, map.byteRange, `${where}, EXT-X-MAP`);
    const plain = place && this.#decrypted(place, map.keys ?? [], new Uint8Array(16), `${where}, EXT-X-MAP`);
    let tracks: readonly InitializedTrack[] | undefined;
    try {
      tracks = plain && readInitialization(plain.source, plain.startBytes, plain.endBytes);
    } catch (error) {
      if (!(error instanceof ReelmillError)) throw error;
      this.#fault("segments-readable", `${where}, EXT-X-MAP`, error.message);
    }
    this.#initialization = { map, tracks };
    return tracks;
  }

  /** Opens what a reference leads to; the file of the segment before stays open where it is the same. */
  async #locate(uri: string, range: ByteRange | undefined, where: string) {
    const target = resolveReference(this.#path, uri);
    if ("problem" in target) {
      this.#fault("references-relative", where, target.problem);
      return undefined;
    }
    const source = await this.#opened(target.path, where);
    if (source === undefined) return undefined;
    const startBytes = range?.offsetBytes ?? 0;
    const endBytes = range === undefined ? source.sizeBytes : startBytes + range.lengthBytes;
    if (endBytes <= source.sizeBytes) return { source, startBytes, endBytes };
    const message = `The range of bytes ${startBytes} to ${endBytes - 1} ends past ${target.path}, which has ${source.sizeBytes} bytes.`;
    this.#fault("byte-ranges-within-file", where, message);
    return undefined;
  }

  async #opened(path: string, where: string): Promise<OpenedSource | undefined> {
    if (this.#source?.path === path) return this.#source.opened;
    this.close();
    try {
      const opened = await this.#access.open(path, this.#signal);
      this.#source = { path, opened };
      return opened;
    } catch (error) {
      if (!(error instanceof ReelmillError) || error.code === "ABORTED") throw error;
      this.#fault("files-exist", where, error.message);
      return undefined;
    }
  }

  #fault(kind: PresentationFault["kind"], where: string, message: string): void {
    if (this.#toldCount++ < MAX_FAULTS) this.#faults.push({ kind, where, message });
  }
}
