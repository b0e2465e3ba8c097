import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import type { Ac3Config } from "./specific-boxes.ts";
import {
  type Ac3Syncframe,
  hasSyncWord,
  isSyncframeCrcRight,
  parseAc3Syncframe,
  SYNCFRAME_HEADER_BYTES,
} from "./syncframe.ts";

/** Finds AC-3 samples: one syncframe of 1536 samples each (ETSI TS 102 366 §F.3). */
export interface Ac3Probe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/**
 * A probe for AC-3. With `config` (from `dac3`) rate, bsid and channel mode must match; the frame size may vary. The
 * CRC adds evidence where the whole frame is visible; a wrong CRC refuses nothing, since a damaged frame still is one.
 */
export function createAc3Probe(config?: Ac3Config): Ac3Probe {
  return {
    probe(bytes, startIndex, endIndex) {
      const visibleBytes = endIndex - startIndex;
      if (visibleBytes >= 2 && !hasSyncWord(bytes, startIndex)) return NO_PACKET;
      if (visibleBytes < SYNCFRAME_HEADER_BYTES) return { kind: "more", neededBytes: SYNCFRAME_HEADER_BYTES };
      const frame = parseAc3Syncframe(bytes, startIndex);
      if (frame === undefined || (config !== undefined && !fits(frame, config))) return NO_PACKET;
      const isCrcRight = frame.sizeBytes <= visibleBytes && isSyncframeCrcRight(bytes, startIndex, frame.sizeBytes);
      return {
        kind: "packet",
        sizeBytes: frame.sizeBytes,
        // 16 bits of sync word; the fields: rate 3 of 4, size code 38 of 64, bsid 11 of 32; with a configuration rate,
        // bsid, acmod and LFE count in full.
        evidenceBits: (config === undefined ? 18.7 : 16 + 2 + 0.75 + 5 + 3 + 1) + (isCrcRight ? 16 : 0),
        isSync: true,
        durationSamples: 1536,
      };
    },
  };
}

function fits(frame: Ac3Syncframe, config: Ac3Config): boolean {
  return (
    frame.fscod === config.fscod &&
    frame.bsid === config.bsid &&
    frame.acmod === config.acmod &&
    frame.isLfeOn === config.isLfeOn
  );
}
