import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { ReelmillError } from "../../base/errors.ts";
import { type FileSource, openFileSource } from "../../base/file-source.ts";
import { writeFully } from "../../base/write-fully.ts";
import { readExactly } from "../../media/bytes/byte-source.ts";
import { type BlockCipher, cryptSample } from "../../media/cenc/block-pattern.ts";
import { planSampleProtection, type SampleProtection } from "../../media/cenc/sample-layout.ts";
import type { EncryptionKey } from "../../media/hls/playlist.ts";
import type { BoxReader } from "../../media/isobmff/box-reader.ts";
import { type FragmentSample, readFragmentSamples } from "../../media/isobmff/fragment-samples.ts";
import type { FragmentIndex, IndexedFragment } from "../../media/isobmff/index-fragments.ts";
import type { Movie, Track } from "../../media/isobmff/movie.ts";
import { clearEntry, protectEntry } from "../../media/isobmff/protected-entry.ts";
import { protectFragment } from "../../media/isobmff/protected-fragment.ts";
import { replaceSampleEntries } from "../../media/isobmff/replace-sample-entries.ts";
import { parseSenc } from "../../media/isobmff/senc.ts";
import { openMoof } from "../../media/isobmff/single-track.ts";
import type { TrackEncryption } from "../../media/isobmff/tenc.ts";
import { blockDecrypter, blockEncrypter, type SampleEncryption, vectorOf } from "./encrypt.ts";
import { fragmentBoxes, type IndexedFile, movieOf, readSample } from "./fragment-file.ts";
import { indexFile } from "./index-file.ts";
import { takeTurn } from "./take-turn.ts";

/** What RFC 8216bis §4.4.4.4 has fragmented MP4 encrypted by. */
const SCHEME = "cbcs";

/** How a stream's samples are encrypted: with what, and the key tag that says by which vector. */
export interface StreamEncryption {
  readonly encryption: SampleEncryption;
  readonly key: EncryptionKey;
}

/**
 * Writes a fragmented file anew with its samples encrypted by the scheme cbcs of Common Encryption (ISO/IEC 23001-7 §10.4), all by the vector of the key
 * tag; then reads it and proves that its samples decrypt to what they were, at the same times. Gives the new file's index. Throws OUTPUT_NOT_VERIFIED,
 * SUBSAMPLES_TOO_MANY, MEDIA_MALFORMED, ABORTED, and what the system throws.
 */
export async function encryptSamples(
  { path, index }: IndexedFile,
  target: string,
  encryption: StreamEncryption,
  signal: AbortSignal,
): Promise<FragmentIndex> {
  const source = openFileSource(path);
  try {
    const clear = await writeSamples(source, index, target, encryption, signal);
    const written = indexFile(target);
    const proven = await digestOfDecrypted({ path: target, index: written }, encryption.encryption.key, signal);
    if (clear.equals(proven)) return written;
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", `${target} does not decrypt to what was encrypted.`);
  } finally {
    source.close();
  }
}

/** Gives the digest of the samples as they were. */
async function writeSamples(
  source: FileSource,
  index: FragmentIndex,
  target: string,
  { encryption: { key, keyId }, key: tag }: StreamEncryption,
  signal: AbortSignal,
): Promise<Buffer> {
  const movie = movieOf(source, index);
  const { handlerType, entry } = onlyEntry(movie);
  const protection = planSampleProtection(entry);
  const constantVector = vectorOf(tag);
  const encryption = { ...protection.pattern, keyId, perSampleVectorBytes: 0, constantVector };
  const cipher = blockEncrypter(key, constantVector);
  const clear = createHash("sha256");
  const descriptor = openSync(target, "wx");
  try {
    const write = (bytes: Uint8Array): void => writeFully(descriptor, bytes);
    const initialization = mustRead(source, 0, index.initializationBytes);
    write(replaceSampleEntries(initialization, handlerType, (one) => protectEntry(one, SCHEME, encryption)));
    for (const fragment of index.fragments) {
      await takeTurn(signal);
      writeFragment({ source, movie, protection, cipher, clear, write }, fragment);
    }
  } finally {
    closeSync(descriptor);
  }
  return clear.digest();
}

interface FragmentWriting {
  readonly source: FileSource;
  readonly movie: Movie;
  readonly protection: SampleProtection;
  readonly cipher: BlockCipher;
  readonly clear: Hash;
  readonly write: (bytes: Uint8Array) => void;
}

/** Where the samples lie in it stays as it was; what lies between them, such as the header of `mdat`, is copied. */
function writeFragment(writing: FragmentWriting, fragment: IndexedFragment): void {
  const { source, movie, protection, cipher, clear, write } = writing;
  const { layout, pattern } = protection;
  let at = fragment.startBytes;
  const copyTo = (endBytes: number): void => {
    if (endBytes > at) write(mustRead(source, at, endBytes - at));
    at = endBytes;
  };
  for (const moof of fragmentBoxes(source, fragment)) {
    const samples = readFragmentSamples(source, moof, movie);
    const layouts = layout && samples.map((sample) => layout(readSample(source, sample)));
    copyTo(moof.offsetBytes);
    const box = openMoof(source, moof);
    write(layouts === undefined ? box.copy() : protectFragment(box, layouts));
    at += moof.sizeBytes;
    for (const [place, sample] of samples.entries()) {
      if (sample.offsetBytes < at) throw new ReelmillError("MEDIA_MALFORMED", "Samples of the encoded file overlap.");
      copyTo(sample.offsetBytes);
      const bytes = readSample(source, sample);
      addSample(clear, sample, bytes);
      cryptSample(bytes, layouts?.[place], pattern, cipher);
      write(bytes);
      at += bytes.length;
    }
  }
  copyTo(fragment.endBytes);
}

/** By what the file itself says of its encryption, the key aside. */
async function digestOfDecrypted({ path, index }: IndexedFile, key: Uint8Array, signal: AbortSignal): Promise<Buffer> {
  const source = openFileSource(path);
  try {
    const movie = movieOf(source, index);
    const { encryption, vector } = encryptionOf(movie);
    const cipher = blockDecrypter(key, vector);
    const digest = createHash("sha256");
    for (const fragment of index.fragments) {
      await takeTurn(signal);
      for (const moof of fragmentBoxes(source, fragment)) {
        const layouts = subsamplesOf(openMoof(source, moof));
        for (const [place, sample] of readFragmentSamples(source, moof, movie).entries()) {
          const bytes = readSample(source, sample);
          cryptSample(bytes, layouts?.[place], encryption, cipher);
          addSample(digest, sample, bytes);
        }
      }
    }
    return digest.digest();
  } finally {
    source.close();
  }
}

function encryptionOf(movie: Movie): { readonly encryption: TrackEncryption; readonly vector: Uint8Array } {
  const encryption = clearEntry(onlyEntry(movie).entry).protection?.encryption;
  if (encryption?.constantVector !== undefined) return { encryption, vector: encryption.constantVector };
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", "The encrypted file does not tell how it is encrypted.");
}

function onlyEntry({
  tracks: [track],
}: Movie): Pick<Track, "handlerType"> & { readonly entry: Track["sampleEntries"][0] } {
  const entry = track?.sampleEntries[0];
  if (track === undefined || entry === undefined || track.sampleEntries.length > 1) {
    throw new ReelmillError("MEDIA_MALFORMED", "The encoded file has not exactly one sample entry.");
  }
  return { handlerType: track.handlerType, entry };
}

/** Of each sample; undefined where the fragment tells of none, so that samples are encrypted as a whole. */
function subsamplesOf(moof: BoxReader): ReturnType<typeof parseSenc> | undefined {
  const traf = moof.children().find(({ type }) => type === "traf");
  const senc = traf?.children().find(({ type }) => type === "senc");
  return senc && parseSenc(senc);
}

/** A sample's bytes and times. */
function addSample(digest: Hash, { decodeTicks, presentationTicks }: FragmentSample, bytes: Uint8Array): void {
  digest.update(`${decodeTicks} ${presentationTicks} ${bytes.length}\n`).update(bytes);
}

function mustRead(source: FileSource, offsetBytes: number, lengthBytes: number): Uint8Array {
  const bytes = readExactly(source, offsetBytes, lengthBytes);
  if (bytes !== undefined) return bytes;
  throw new ReelmillError("MEDIA_MALFORMED", `The encoded file ends before byte ${offsetBytes + lengthBytes}.`);
}
