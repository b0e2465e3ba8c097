import { parseAudioSpecificConfig } from "../aac/audio-specific-config.ts";
import { parseElementaryStreamDescriptor } from "../aac/elementary-stream-descriptor.ts";
import { hexByte } from "./hex.ts";

const MPEG4_AUDIO = 0x40;
const SBR_TYPE = 5;
const PS_TYPE = 29;

/**
 * `mp4a.OO[.A]` (RFC 6381 §3.3) out of an `esds` box's payload: the object type indication, and for MPEG-4 audio the object
 * type as players name it: 2 for AAC-LC, 5 for HE-AAC, 29 for HE-AAC v2. Undefined where the descriptor cannot be read. Throws
 * MEDIA_MALFORMED where its AudioSpecificConfig is broken.
 */
export function mp4aCodecString(esdsPayload: Uint8Array): string | undefined {
  const stream = parseElementaryStreamDescriptor(esdsPayload);
  if (stream === undefined) return undefined;
  const indication = hexByte(stream.objectTypeIndication).toUpperCase();
  if (stream.objectTypeIndication !== MPEG4_AUDIO) return `mp4a.${indication}`;
  if (stream.decoderSpecificInfo === undefined) return undefined;
  const { objectType, extension } = parseAudioSpecificConfig(stream.decoderSpecificInfo);
  const named = extension === "ps" ? PS_TYPE : extension === "sbr" ? SBR_TYPE : objectType;
  return `mp4a.40.${named}`;
}
