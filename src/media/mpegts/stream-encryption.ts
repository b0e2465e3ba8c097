import { type BlockCipher, cryptSample, PICTURE_PATTERN, SOUND_PATTERN } from "../cenc/block-pattern.ts";
import type { Subsample } from "../isobmff/senc.ts";
import { escapeNal, unescapeNal } from "../nal/unescape.ts";

/**
 * Apple's MPEG-2 Stream Encryption Format for HTTP Live Streaming, which SAMPLE-AES means in transport streams and packed audio (RFC 8216bis §4.4.4.4):
 * what is encrypted of H.264 and AAC, and how that is told.
 */

/** stream_type of encrypted H.264 and of encrypted AAC with ADTS headers. */
export const ENCRYPTED_AVC_TYPE = 0xdb;
export const ENCRYPTED_ADTS_TYPE = 0xcf;
/** private_data_indicator_descriptor (ISO/IEC 13818-1 §2.6.28) of encrypted H.264: `zavc`. */
export const ENCRYPTED_AVC_DESCRIPTOR: readonly number[] = [0x0f, 4, 0x7a, 0x61, 0x76, 0x63];
/** Owner of the ID3 PRIV frame that packed audio tells its encryption by, with the zero behind it. */
export const AUDIO_DESCRIPTION_OWNER = "com.apple.streaming.audioDescription\0";

const NAL_LEADER_BYTES = 32;
/** NAL units that are no longer stay clear. */
const MAX_CLEAR_NAL_BYTES = 48;
const FRAME_LEADER_BYTES = 16;
/** Audio type of AAC-LC. */
const AAC_LC = "zaac";

/** Whether a NAL unit, header first, is to be encrypted, or is: slices of some length, which sealing never makes shorter. */
function isSealedNal(nal: Uint8Array): boolean {
  const type = (nal[0] ?? 0) & 0x1f;
  return nal.length > MAX_CLEAR_NAL_BYTES && (type === 1 || type === 5);
}

/**
 * Encrypts a NAL unit with its emulation prevention bytes, one block of ten behind 32 clear bytes, and puts such bytes in again. What is no
 * slice, or no longer than 48 bytes, comes back as it is.
 */
export function sealNal(nal: Uint8Array, encrypt: BlockCipher): Uint8Array {
  if (!isSealedNal(nal)) return nal;
  const sealed = nal.slice();
  cryptSample(sealed, nalSubsamples(nal), PICTURE_PATTERN, encrypt);
  return escapeNal(sealed);
}

/** Undoes `sealNal`. */
export function openSealedNal(sealed: Uint8Array, decrypt: BlockCipher): Uint8Array {
  if (!isSealedNal(sealed)) return sealed;
  const nal = unescapeNal(sealed, 0);
  cryptSample(nal, nalSubsamples(nal), PICTURE_PATTERN, decrypt);
  return nal;
}

/** A block is encrypted where more than its own bytes are left: the last byte never is. */
function nalSubsamples({ length }: Uint8Array): readonly Subsample[] {
  return [
    { clearBytes: NAL_LEADER_BYTES, protectedBytes: length - NAL_LEADER_BYTES - 1 },
    { clearBytes: 1, protectedBytes: 0 },
  ];
}

/** Encrypts or decrypts an AAC frame without its header, in place: all whole blocks behind 16 clear bytes. */
export function cryptAacFrame(frame: Uint8Array, cipher: BlockCipher): void {
  if (frame.length <= FRAME_LEADER_BYTES) return;
  const protectedBytes = frame.length - FRAME_LEADER_BYTES;
  cryptSample(frame, [{ clearBytes: FRAME_LEADER_BYTES, protectedBytes }], SOUND_PATTERN, cipher);
}

/** audio_setup_information of AAC-LC: type, no priming, version 1, the AudioSpecificConfig. */
export function audioSetupInformation(audioSpecificConfig: Uint8Array): Uint8Array {
  const type = Array.from(AAC_LC, (letter) => letter.charCodeAt(0));
  return Uint8Array.of(...type, 0, 0, 1, audioSpecificConfig.length, ...audioSpecificConfig);
}
