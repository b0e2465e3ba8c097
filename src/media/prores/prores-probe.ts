import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import { PRORES_HEADER_BYTES, type ProresFrameHeader, parseProresFrameHeader } from "./frame-header.ts";

/** What is known of a track's frames; a field left out is not checked. */
export interface ProresConstraints {
  readonly widthPixels?: number;
  readonly heightPixels?: number;
  readonly chroma?: "4:2:2" | "4:4:4";
}

/** Finds ProRes frames; one frame is one sample and always a sync sample. */
export interface ProresProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** A probe for ProRes (SMPTE RDD 36). Only headers are looked at: the size is stated. */
export function createProresProbe(constraints: ProresConstraints = {}): ProresProbe {
  return {
    probe(bytes, startIndex, endIndex) {
      const visibleBytes = endIndex - startIndex;
      if (visibleBytes >= 8 && !isMagic(bytes, startIndex + 4)) return NO_PACKET;
      if (visibleBytes < PRORES_HEADER_BYTES) return { kind: "more", neededBytes: PRORES_HEADER_BYTES };
      const header = parseProresFrameHeader(bytes, startIndex);
      if (header === undefined || !fits(header, constraints)) return NO_PACKET;
      const pictureIndex = startIndex + 8 + header.headerSizeBytes;
      if (pictureIndex + 5 > endIndex) return { kind: "more", neededBytes: 8 + header.headerSizeBytes + 5 };
      if (!isPictureHeader(bytes, pictureIndex, header)) return NO_PACKET;
      const sizeBits =
        (constraints.widthPixels === undefined ? 0 : 16) + (constraints.heightPixels === undefined ? 0 : 16);
      return {
        kind: "packet",
        sizeBytes: header.frameSizeBytes,
        // `icpf` 32, header size 12, version 15, modes 3, picture header size and data size 8.
        evidenceBits: 70 + sizeBits,
        isSync: true,
      };
    },
  };
}

function isMagic(bytes: Uint8Array, index: number): boolean {
  return bytes[index] === 0x69 && bytes[index + 1] === 0x63 && bytes[index + 2] === 0x70 && bytes[index + 3] === 0x66;
}

function fits(header: ProresFrameHeader, constraints: ProresConstraints): boolean {
  return (
    (constraints.widthPixels === undefined || constraints.widthPixels === header.widthPixels) &&
    (constraints.heightPixels === undefined || constraints.heightPixels === header.heightPixels) &&
    (constraints.chroma === undefined || constraints.chroma === header.chroma)
  );
}

/** The (first) picture must lie within the frame (§5.2.1): its header size in bits/8, then its whole size. */
function isPictureHeader(bytes: Uint8Array, index: number, header: ProresFrameHeader): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + index, 5);
  const pictureHeaderBytes = view.getUint8(0) >>> 3;
  const pictureBytes = view.getUint32(1);
  return (
    pictureHeaderBytes >= 8 &&
    pictureBytes >= pictureHeaderBytes &&
    8 + header.headerSizeBytes + pictureBytes <= header.frameSizeBytes
  );
}
