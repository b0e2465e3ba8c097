import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { ReelmillError } from "../../base/errors.ts";
import { openFileSource } from "../../base/file-source.ts";
import { writeFully } from "../../base/write-fully.ts";
import { type ByteSource, readExactly } from "../../media/bytes/byte-source.ts";
import { readRange } from "../../media/bytes/read-range.ts";
import { BLOCK_BYTES, type BlockCipher } from "../../media/cenc/block-pattern.ts";
import type { DecryptSource } from "../../media/hls/check/presentation.ts";
import type { EncryptionKey } from "../../media/hls/playlist.ts";
import type { PackagePlan } from "./packaging.ts";

const CIPHER = "aes-128-cbc";
const PIECE_BYTES = 1024 * 1024;

/** AES-128: segments are encrypted as a whole. The key is nowhere but in memory. */
export interface SegmentEncryption {
  readonly method: "aes-128";
  readonly key: Uint8Array;
  /** As it stands in the playlists. */
  readonly keyUri: string;
}

/** SAMPLE-AES: the pictures and the sound within segments are. */
export interface SampleEncryption extends Omit<SegmentEncryption, "method"> {
  readonly method: "sample-aes";
  /** 16 bytes that name the key in the media themselves. */
  readonly keyId: Uint8Array;
}

/** How the media of a package are encrypted. */
export type ContentEncryption = SegmentEncryption | SampleEncryption;

/**
 * What a package was planned with, and its key; undefined where there is neither. Throws PARAMS_INVALID where one of them is missing: nothing that was to
 * be encrypted leaves in the clear.
 */
export function contentEncryption(
  { keyUri, encryptMethod }: Pick<PackagePlan, "keyUri" | "encryptMethod">,
  key: Uint8Array | undefined,
): ContentEncryption | undefined {
  if (keyUri === null && key === undefined) return undefined;
  if (keyUri === null || key === undefined) {
    const problem = "The package was planned with a key, or without one, and is made otherwise.";
    throw new ReelmillError("PARAMS_INVALID", problem);
  }
  return encryptMethod === "aes-128"
    ? { method: encryptMethod, key, keyUri }
    : { method: encryptMethod, key, keyUri, keyId: randomBytes(BLOCK_BYTES) };
}

/** A key tag with an initialization vector of its own, for one segment and the I-frames within. */
export function createSegmentKey({ keyUri }: SegmentEncryption): EncryptionKey {
  return { method: "AES-128", uri: keyUri, initializationVector: `0x${randomBytes(BLOCK_BYTES).toString("hex")}` };
}

/** The key tag of a stream whose samples are encrypted, all by one random vector. */
export function createSampleKey({ keyUri }: SampleEncryption): EncryptionKey {
  const initializationVector = `0x${randomBytes(BLOCK_BYTES).toString("hex")}`;
  return { method: "SAMPLE-AES", uri: keyUri, initializationVector, keyFormat: "identity", keyFormatVersions: "1" };
}

/** The vector of a key tag that `createSegmentKey` or `createSampleKey` made. */
export function vectorOf({ initializationVector = "" }: EncryptionKey): Uint8Array {
  return Buffer.from(initializationVector.slice(2), "hex");
}

/** Encrypts whole blocks, chained to each other from the vector on. */
export function blockEncrypter(key: Uint8Array, vector: Uint8Array): BlockCipher {
  return (blocks) => createCipheriv(CIPHER, key, vector).setAutoPadding(false).update(blocks);
}

/** As `blockEncrypter`, the other way. */
export function blockDecrypter(key: Uint8Array, vector: Uint8Array): BlockCipher {
  return (blocks) => createDecipheriv(CIPHER, key, vector).setAutoPadding(false).update(blocks);
}

/**
 * Writes a range of bytes to a new file, encrypted as a whole (RFC 8216bis §4.4.4.4: AES-128, CBC, PKCS7), then reads the file and proves that it
 * decrypts to the same bytes. Throws OUTPUT_NOT_VERIFIED, and what the system throws.
 */
export function writeEncrypted(
  pieces: () => Iterable<Uint8Array>,
  target: string,
  { key }: SegmentEncryption,
  tag: EncryptionKey,
): void {
  const vector = vectorOf(tag);
  const cipher = createCipheriv(CIPHER, key, vector);
  const before = createHash("sha256");
  const descriptor = openSync(target, "wx");
  try {
    for (const piece of pieces()) {
      before.update(piece);
      writeFully(descriptor, cipher.update(piece));
    }
    writeFully(descriptor, cipher.final());
  } finally {
    closeSync(descriptor);
  }
  if (before.digest().equals(digestOfDecrypted(target, key, vector))) return;
  throw new ReelmillError("OUTPUT_NOT_VERIFIED", `${target} does not decrypt to what was encrypted.`);
}

function digestOfDecrypted(path: string, key: Uint8Array, vector: Uint8Array): Buffer {
  const source = openFileSource(path);
  try {
    const decipher = createDecipheriv(CIPHER, key, vector);
    const digest = createHash("sha256");
    for (const piece of readRange(source, 0, source.sizeBytes)) digest.update(decipher.update(piece));
    return digest.update(decipher.final()).digest();
  } catch (cause) {
    throw new ReelmillError("OUTPUT_NOT_VERIFIED", `${path} does not decrypt with its key.`, { cause });
  } finally {
    source.close();
  }
}

/** Decrypts whatever AES-128 key tag there is with the one key, any range of it, a piece at a time. */
export function createDecrypter(key: Uint8Array): DecryptSource {
  return (encrypted, _tag, vector) => {
    const { sizeBytes } = encrypted;
    const blocks = sizeBytes / BLOCK_BYTES;
    if (blocks < 1 || !Number.isInteger(blocks)) throw unfit(`${sizeBytes} bytes are no whole blocks`);
    const last = decryptBlocks(encrypted, key, vector, blocks - 1, 1);
    const padding = last[BLOCK_BYTES - 1] as number;
    if (padding < 1 || padding > BLOCK_BYTES || last.subarray(BLOCK_BYTES - padding).some((one) => one !== padding)) {
      throw unfit("its padding is wrong");
    }
    return decryptedSource(encrypted, key, vector, sizeBytes - padding);
  };
}

function decryptedSource(encrypted: ByteSource, key: Uint8Array, vector: Uint8Array, sizeBytes: number): ByteSource {
  return {
    sizeBytes,
    read(offsetBytes, target) {
      const endBytes = Math.min(sizeBytes, offsetBytes + target.length);
      for (let at = offsetBytes; at < endBytes; ) {
        const first = Math.floor(at / BLOCK_BYTES);
        const count = Math.ceil((Math.min(endBytes, at + PIECE_BYTES) - first * BLOCK_BYTES) / BLOCK_BYTES);
        const plain = decryptBlocks(encrypted, key, vector, first, count);
        const part = plain.subarray(at - first * BLOCK_BYTES, endBytes - first * BLOCK_BYTES);
        target.set(part, at - offsetBytes);
        at += part.length;
      }
      return Math.max(0, endBytes - offsetBytes);
    },
  };
}

/** Each block is chained to the one before it, the first to the initialization vector. */
function decryptBlocks(
  encrypted: ByteSource,
  key: Uint8Array,
  vector: Uint8Array,
  first: number,
  count: number,
): Uint8Array {
  const chained = first === 0 ? vector : readExactly(encrypted, (first - 1) * BLOCK_BYTES, BLOCK_BYTES);
  const bytes = readExactly(encrypted, first * BLOCK_BYTES, count * BLOCK_BYTES);
  if (chained === undefined || bytes === undefined) throw unfit("it is cut short");
  return createDecipheriv(CIPHER, key, chained).setAutoPadding(false).update(bytes);
}

function unfit(why: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `The segment does not decrypt with the key: ${why}.`);
}
