import { createHash, type Hash } from "node:crypto";
import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { ADTS_HEADER_BYTES, parseAdtsHeader } from "../../media/aac/adts-header.ts";
import { id3TagBytes } from "../../media/aac/id3-tag.ts";
import { type ByteSource, readExactly } from "../../media/bytes/byte-source.ts";
import type { BlockCipher } from "../../media/cenc/block-pattern.ts";
import type { FragmentIndex, IndexedFragment } from "../../media/isobmff/index-fragments.ts";
import { readTransportStream } from "../../media/mpegts/read-transport-stream.ts";
import { cryptAacFrame, openSealedNal, sealNal } from "../../media/mpegts/stream-encryption.ts";
import { eachStartCodeNal } from "../../media/nal/start-codes.ts";
import { blockDecrypter, blockEncrypter, vectorOf } from "./encrypt.ts";
import type { StreamEncryption } from "./encrypt-samples.ts";
import type { IndexedFile } from "./fragment-file.ts";
import { takeTurn } from "./take-turn.ts";
import { writePackedAudio, writeTransportStream } from "./transport-stream.ts";

/**
 * Writes the pictures of a fragmented file as a transport stream, or its sound as packed audio, encrypted by Apple's MPEG-2 Stream Encryption Format with
 * the vector of the key tag; then reads it and proves that every NAL unit and frame decrypts to what it was. Gives the new file's index. Throws
 * OUTPUT_NOT_VERIFIED, MEDIA_MALFORMED, ABORTED, and what the system throws.
 */
export async function encryptTransportStream(
  encoded: IndexedFile,
  target: string,
  { encryption: { key }, key: tag, mode }: StreamEncryption & { readonly mode: "mpegts" | "packed-audio" },
  signal: AbortSignal,
): Promise<FragmentIndex> {
  const [encrypt, decrypt] = [blockEncrypter(key, vectorOf(tag)), blockDecrypter(key, vectorOf(tag))];
  const clear = createHash("sha256");
  const seal = (part: Uint8Array): Uint8Array => {
    addPart(clear, mode === "mpegts" ? withoutZeros(part) : part);
    return mode === "mpegts" ? sealNal(part, encrypt) : sealFrame(part, encrypt);
  };
  const write = mode === "mpegts" ? writeTransportStream : writePackedAudio;
  const index = await write(encoded, target, signal, seal);
  const proven = createHash("sha256");
  const source = openFileSource(target);
  try {
    const prove = mode === "mpegts" ? addDecryptedNals : addDecryptedFrames;
    for (const fragment of index.fragments) {
      await takeTurn(signal);
      prove(source, fragment, decrypt, proven);
    }
  } finally {
    source.close();
  }
  if (clear.digest().equals(proven.digest())) return index;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `${target} does not decrypt to what was encrypted.`);
}

function sealFrame(frame: Uint8Array, encrypt: BlockCipher): Uint8Array {
  const sealed = frame.slice();
  cryptAacFrame(sealed, encrypt);
  return sealed;
}

function addDecryptedNals(
  source: ByteSource,
  { startBytes, endBytes }: IndexedFragment,
  decrypt: BlockCipher,
  digest: Hash,
): void {
  const visit = ({ data }: { readonly data: Uint8Array }): void => {
    for (const nal of eachStartCodeNal(data)) addPart(digest, openSealedNal(nal, decrypt));
  };
  // Pictures are read whole: a fragment has no larger one than itself.
  readTransportStream(source, startBytes, endBytes, new Map(), [], visit, endBytes - startBytes);
}

function addDecryptedFrames(
  source: ByteSource,
  { startBytes, endBytes }: IndexedFragment,
  decrypt: BlockCipher,
  digest: Hash,
): void {
  const bytes = readExactly(source, startBytes, endBytes - startBytes);
  if (bytes === undefined) throw new ReelmillError("OUTPUT_NOT_VERIFIED", "The packed audio is cut short.");
  for (let at = id3TagBytes(bytes); at < bytes.length; ) {
    const header = parseAdtsHeader(bytes, at);
    if (header === undefined) throw new ReelmillError("OUTPUT_NOT_VERIFIED", "The packed audio has no whole frame.");
    const frame = bytes.slice(at + ADTS_HEADER_BYTES, at + header.sizeBytes);
    cryptAacFrame(frame, decrypt);
    addPart(digest, frame);
    at += header.sizeBytes;
  }
}

/** Zeros behind a NAL unit, which some encoders' parameter sets have, belong to the byte stream (ITU-T H.264 §B.1). */
function withoutZeros(nal: Uint8Array): Uint8Array {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end--;
  return nal.subarray(0, end);
}

function addPart(digest: Hash, part: Uint8Array): void {
  digest.update(`${part.length}\n`).update(part);
}
