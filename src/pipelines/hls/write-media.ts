import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type FileSource, openFileSource } from "../../base/file-source.ts";
import type { MediaPlaylist } from "../../media/hls/playlist.ts";
import { serializePlaylist } from "../../media/hls/serialize-playlist.ts";
import type { FragmentIndex } from "../../media/isobmff/index-fragments.ts";
import {
  cutSegments,
  INITIALIZATION_FILE,
  iFramePlaylist,
  MEDIA_FILE,
  type SegmentMode,
  segmentPlaylist,
} from "./cut-segments.ts";
import type { RungCodec } from "./ladder.ts";

/** Names within a rung's or a sound's folder. */
export const SEGMENTS_PLAYLIST = "index.m3u8";
export const I_FRAMES_PLAYLIST = "iframes.m3u8";

const PIECE_BYTES = 1024 * 1024;

/** A rung or a sound, encoded and indexed. */
export interface EncodedStream {
  readonly name: string;
  /** Of the file that segments are cut from, on the file system of the package. */
  readonly path: string;
  readonly index: FragmentIndex;
  /** Of pictures; null of sound. */
  readonly codec: RungCodec | null;
  readonly mode: SegmentMode;
}

/** The playlists of a stream; undefined where there are no pictures. */
export interface StreamPlaylists {
  readonly segments: MediaPlaylist;
  readonly iFrames: MediaPlaylist | undefined;
}

/** Puts a stream's media and playlists into a folder of its name; the encoded file is gone afterwards or as it was. Throws what the system throws. */
export function writeStream(
  { name, path, index, codec, mode }: EncodedStream,
  packageFolder: string,
  targetSeconds: number,
): StreamPlaylists {
  const folder = join(packageFolder, name);
  mkdirSync(folder);
  const segments = segmentPlaylist(index, mode, targetSeconds);
  const iFrames = codec === null ? undefined : iFramePlaylist(index, mode, targetSeconds);
  if (mode === "single-file") renameSync(path, join(folder, MEDIA_FILE));
  else splitFile(path, index, mode, folder);
  writeFileSync(join(folder, SEGMENTS_PLAYLIST), serializePlaylist(segments));
  if (iFrames !== undefined) writeFileSync(join(folder, I_FRAMES_PLAYLIST), serializePlaylist(iFrames));
  return { segments, iFrames };
}

function splitFile(path: string, index: FragmentIndex, mode: SegmentMode, folder: string): void {
  const source = openFileSource(path);
  try {
    if (mode === "separate") copyRange(source, 0, index.initializationBytes, join(folder, INITIALIZATION_FILE));
    for (const { file, startBytes, endBytes } of cutSegments(index, mode)) {
      copyRange(source, startBytes, endBytes, join(folder, file));
    }
  } finally {
    source.close();
  }
}

function copyRange(source: FileSource, startBytes: number, endBytes: number, target: string): void {
  const descriptor = openSync(target, "wx");
  try {
    const piece = new Uint8Array(PIECE_BYTES);
    for (let at = startBytes; at < endBytes; ) {
      const got = source.read(at, piece.subarray(0, Math.min(PIECE_BYTES, endBytes - at)));
      if (got === 0) throw new RangeError(`The file ends at byte ${at}, before ${endBytes}.`);
      for (let written = 0; written < got; ) written += writeSync(descriptor, piece, written, got - written);
      at += got;
    }
  } finally {
    closeSync(descriptor);
  }
}
