import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFileSource } from "../../base/file-source.ts";
import { writeFully } from "../../base/write-fully.ts";
import { PIECE_BYTES, readRange } from "../../media/bytes/read-range.ts";
import type { EncryptionKey, MediaPlaylist } from "../../media/hls/playlist.ts";
import { serializePlaylist } from "../../media/hls/serialize-playlist.ts";
import type { FragmentIndex } from "../../media/isobmff/index-fragments.ts";
import {
  cutSegments,
  INITIALIZATION_FILE,
  iFramePlaylist,
  MEDIA_FILE,
  type SegmentCut,
  type SegmentMode,
  segmentPlaylist,
} from "./cut-segments.ts";
import { type ContentEncryption, createSampleKey, createSegmentKey, writeEncrypted } from "./encrypt.ts";
import { encryptSamples } from "./encrypt-samples.ts";
import { encryptTransportStream } from "./encrypt-transport-stream.ts";
import type { IndexedFile } from "./fragment-file.ts";
import type { RungCodec } from "./ladder.ts";
import { takeTurn } from "./take-turn.ts";

/** Names within a rung's or a sound's folder. */
export const SEGMENTS_PLAYLIST = "index.m3u8";
export const I_FRAMES_PLAYLIST = "iframes.m3u8";

/** A rung or a sound, encoded and indexed. */
export interface EncodedStream {
  readonly name: string;
  /** Of the file that segments are cut from, on the file system of the package. */
  readonly path: string;
  readonly index: FragmentIndex;
  /** The fragmented file that this is, or was made of. */
  readonly encoded: IndexedFile;
  /** Of pictures; null of sound. */
  readonly codec: RungCodec | null;
  readonly mode: SegmentMode;
}

/** The playlists of a stream; undefined where there are no pictures. */
export interface StreamPlaylists {
  readonly segments: MediaPlaylist;
  readonly iFrames: MediaPlaylist | undefined;
}

/** How a stream is written. */
export interface StreamWriting {
  readonly targetSeconds: number;
  /** Undefined: the media stay clear. */
  readonly encryption: ContentEncryption | undefined;
  readonly signal: AbortSignal;
}

/**
 * Puts a stream's media and playlists into a folder of its name; the encoded file is gone afterwards or as it was. Throws OUTPUT_NOT_VERIFIED
 * where what is encrypted does not decrypt, MEDIA_MALFORMED, ABORTED, and what the system throws.
 */
export async function writeStream(
  stream: EncodedStream,
  packageFolder: string,
  { targetSeconds, encryption, signal }: StreamWriting,
): Promise<StreamPlaylists> {
  const folder = join(packageFolder, stream.name);
  mkdirSync(folder);
  const { path, index, key } = await encryptStream(stream, encryption, signal);
  const { mode, codec } = stream;
  const createKey = encryption?.method === "aes-128" ? () => createSegmentKey(encryption) : () => key;
  const keys = [...cutSegments(index, mode).map(createKey)].filter((one) => one !== undefined);
  const segments = segmentPlaylist(index, mode, targetSeconds, keys);
  const iFrames = codec === null ? undefined : iFramePlaylist(index, mode, targetSeconds, keys);
  if (mode === "single-file") renameSync(path, join(folder, MEDIA_FILE));
  else {
    await splitFile({ path, index, mode, folder, signal }, (read, { file, startBytes, endBytes }, at) => {
      const target = join(folder, file);
      const segmentKey = keys[at];
      const pieces = (): Iterable<Uint8Array> => read(startBytes, endBytes);
      if (encryption?.method !== "aes-128" || segmentKey === undefined) writePieces(pieces(), target);
      else writeEncrypted(pieces, target, encryption, segmentKey);
    });
  }
  if (path !== stream.path) rmSync(path, { force: true });
  writeFileSync(join(folder, SEGMENTS_PLAYLIST), serializePlaylist(segments));
  if (iFrames !== undefined) writeFileSync(join(folder, I_FRAMES_PLAYLIST), serializePlaylist(iFrames));
  return { segments, iFrames };
}

/** The file that segments are cut from, with the one key of its samples where these are encrypted. */
async function encryptStream(
  { path, index, encoded, mode }: EncodedStream,
  encryption: ContentEncryption | undefined,
  signal: AbortSignal,
): Promise<IndexedFile & { readonly key: EncryptionKey | undefined }> {
  if (encryption?.method !== "sample-aes") return { path, index, key: undefined };
  const target = `${encoded.path}.encrypted`;
  const key = createSampleKey(encryption);
  const isFragmented = mode === "single-file" || mode === "separate";
  const written = isFragmented
    ? await encryptSamples(encoded, target, { encryption, key }, signal)
    : await encryptTransportStream(encoded, target, { encryption, key, mode }, signal);
  return { path: target, index: written, key };
}

interface Splitting extends Pick<EncodedStream, "path" | "index" | "mode"> {
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** The bytes of a range of a file, each piece valid until the next one. */
type ReadPieces = (startBytes: number, endBytes: number) => Iterable<Uint8Array>;

async function splitFile(
  { path, index, mode, folder, signal }: Splitting,
  write: (read: ReadPieces, cut: SegmentCut, at: number) => void,
): Promise<void> {
  const source = openFileSource(path);
  const buffer = new Uint8Array(PIECE_BYTES);
  const read: ReadPieces = (startBytes, endBytes) => readRange(source, startBytes, endBytes, buffer);
  try {
    if (mode === "separate") writePieces(read(0, index.initializationBytes), join(folder, INITIALIZATION_FILE));
    let at = 0;
    for (const cut of cutSegments(index, mode)) {
      await takeTurn(signal);
      write(read, cut, at++);
    }
  } finally {
    source.close();
  }
}

function writePieces(pieces: Iterable<Uint8Array>, target: string): void {
  const descriptor = openSync(target, "wx");
  try {
    for (const piece of pieces) writeFully(descriptor, piece);
  } finally {
    closeSync(descriptor);
  }
}
