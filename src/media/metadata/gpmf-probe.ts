import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import { readU32 } from "./read-u32.ts";

/** Finds GoPro telemetry samples (`gpmd`): one or more `DEVC` items of key, type, size and repeat. */
export interface GpmfProbe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

const DEVC = 0x44455643;
const DVID = 0x44564944;
/** Type characters of the format: numbers, text, dates, ids, fixed point, and 0 for nested items. */
const TYPES = "\0bBcdfFGjJlLqQsSuU?#";
/** No camera writes more devices into one sample. */
const MAX_DEVICES = 16;
/** Longest item: 255 bytes × 65535 times, with its head. */
const MAX_CHILDREN = 64;

/**
 * A probe for GPMF. A sample is one `DEVC` item per device: the next one belongs to the same sample while its device
 * id has not been seen yet.
 */
export function createGpmfProbe(): GpmfProbe {
  return {
    probe(bytes, startIndex, endIndex) {
      let index = startIndex;
      let evidenceBits = 0;
      const ids = new Set<number>();
      for (let devices = 0; devices < MAX_DEVICES; devices++) {
        if (endIndex - index >= 4 && readU32(bytes, index) !== DEVC) break;
        if (endIndex - index < 24) return { kind: "more", neededBytes: index - startIndex + 24 };
        const device = readDevice(bytes, index, endIndex);
        if (device === undefined) break;
        if (device.id !== undefined && ids.has(device.id)) break;
        if (device.id !== undefined) ids.add(device.id);
        evidenceBits += device.evidenceBits;
        index += device.sizeBytes;
      }
      if (index === startIndex) return NO_PACKET;
      return { kind: "packet", sizeBytes: index - startIndex, evidenceBits, isSync: true };
    },
  };
}

function readDevice(
  bytes: Uint8Array,
  index: number,
  endIndex: number,
): { readonly sizeBytes: number; readonly id: number | undefined; readonly evidenceBits: number } | undefined {
  if (bytes[index + 4] !== 0) return undefined;
  const sizeBytes = itemSizeBytes(bytes, index);
  let id: number | undefined;
  let evidenceBits = 40;
  let child = index + 8;
  for (let i = 0; i < MAX_CHILDREN && child + 8 <= Math.min(endIndex, index + sizeBytes); i++) {
    if (!isItem(bytes, child)) return undefined;
    const childBytes = itemSizeBytes(bytes, child);
    if (child + childBytes > index + sizeBytes) return undefined;
    if (readU32(bytes, child) === DVID && child + 12 <= endIndex) id = readU32(bytes, child + 8);
    evidenceBits += 8;
    child += childBytes;
  }
  return { sizeBytes, id, evidenceBits };
}

/** Head of eight bytes, then size × repeat bytes filled up to four. */
function itemSizeBytes(bytes: Uint8Array, index: number): number {
  const repeat = ((bytes[index + 6] ?? 0) << 8) | (bytes[index + 7] ?? 0);
  return 8 + Math.ceil(((bytes[index + 5] ?? 0) * repeat) / 4) * 4;
}

function isItem(bytes: Uint8Array, index: number): boolean {
  for (let i = 0; i < 4; i++) {
    const byte = bytes[index + i] ?? 0;
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return TYPES.includes(String.fromCharCode(bytes[index + 4] ?? 1));
}
