import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";

/** Finds camera motion samples (`camm`): little-endian, one packet of a known type and length each. */
export interface CammProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Payload bytes by type (Camera Motion Metadata Specification): angle axis, exposure, gyro, accelerometer, position, … */
const PAYLOAD_BYTES = [12, 8, 12, 12, 12, 24, 56, 12] as const;
/** Types whose payload is nothing but 32-bit floats. */
const FLOAT_TYPES: ReadonlySet<number> = new Set([0, 2, 3, 4, 7]);

/** A probe for CAMM. Floats must be finite and of a human size, which makes up for the weak header. */
export function createCammProbe(): CammProbe {
  return {
    probe(bytes, startIndex, endIndex) {
      const visibleBytes = endIndex - startIndex;
      if (visibleBytes < 4) return { kind: "more", neededBytes: 4 };
      if (bytes[startIndex] !== 0 || bytes[startIndex + 1] !== 0 || bytes[startIndex + 3] !== 0) return NO_PACKET;
      const type = bytes[startIndex + 2] ?? 255;
      const payloadBytes = PAYLOAD_BYTES[type];
      if (payloadBytes === undefined) return NO_PACKET;
      if (visibleBytes < 4 + payloadBytes) return { kind: "more", neededBytes: 4 + payloadBytes };
      const view = new DataView(bytes.buffer, bytes.byteOffset + startIndex + 4, payloadBytes);
      const payloadBits = judgePayload(view, type);
      if (payloadBits === undefined) return NO_PACKET;
      // Zeros are common in files: the three bytes of 0 count 4 bits each, not 8.
      return { kind: "packet", sizeBytes: 4 + payloadBytes, evidenceBits: 12 + 5 + payloadBits, isSync: true };
    },
  };
}

function judgePayload(view: DataView, type: number): number | undefined {
  if (type === 1) return view.getInt32(0, true) >= 0 && view.getInt32(4, true) >= 0 ? 2 : undefined;
  if (type === 5) return judgePlace(view.getFloat64(0, true), view.getFloat64(8, true), view.getFloat64(16, true));
  if (type === 6) return judgePlace(view.getFloat64(12, true), view.getFloat64(20, true), view.getFloat32(28, true));
  if (!FLOAT_TYPES.has(type)) return 0;
  let evidenceBits = 0;
  for (let at = 0; at < view.byteLength; at += 4) {
    const size = Math.abs(view.getFloat32(at, true));
    if (!(size < 100_000)) return undefined;
    if (size > 1e-12) evidenceBits += 1.8;
    else if (size !== 0) return undefined;
  }
  return evidenceBits;
}

function judgePlace(latitude: number, longitude: number, altitude: number): number | undefined {
  const isOnEarth = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 && Math.abs(altitude) < 100_000;
  if (!isOnEarth) return undefined;
  return Math.abs(latitude) > 1e-6 ? 14 : 2;
}
