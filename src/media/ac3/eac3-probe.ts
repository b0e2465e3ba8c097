import { NO_PACKET, type PacketProbe } from "../bytes/packet-probe.ts";
import type { Eac3Config } from "./specific-boxes.ts";
import {
  type Eac3Syncframe,
  hasSyncWord,
  isSyncframeCrcRight,
  parseAc3Syncframe,
  parseEac3Syncframe,
  SYNCFRAME_HEADER_BYTES,
} from "./syncframe.ts";

/** Finds E-AC-3 samples: the syncframes of all substreams that make up 1536 samples (ETSI TS 102 366 §F.5). */
export interface Eac3Probe {
  /** What stands at `startIndex` of `bytes`, of which `[startIndex, endIndex)` may be looked at. */
  probe(bytes: Uint8Array, startIndex: number, endIndex: number): PacketProbe;
}

/** Six blocks of at most eight independent substreams with eight dependent ones each. */
const MAX_FRAMES_PER_SAMPLE = 6 * 8 * 9;

/**
 * A probe for E-AC-3. With `config` (from `dec3`) the number of substreams is known, so that the end of a sample shows
 * without a look at what follows; without it, the header after the last syncframe must be visible too.
 */
export function createEac3Probe(config?: Eac3Config): Eac3Probe {
  return {
    probe(bytes, startIndex, endIndex) {
      if (endIndex - startIndex >= 2 && !hasSyncWord(bytes, startIndex)) return NO_PACKET;
      const framesPerSlot = config === undefined ? undefined : countSubstreams(config);
      return walk(bytes, startIndex, endIndex, config, framesPerSlot);
    },
  };
}

function walk(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  config: Eac3Config | undefined,
  framesPerSlot: number | undefined,
): PacketProbe {
  let index = startIndex;
  let blockCount = 0;
  let evidenceBits = 0;
  let framesInSlot = 0;
  for (let frameCount = 0; frameCount < MAX_FRAMES_PER_SAMPLE; frameCount++) {
    const isWhole = blockCount === 6 && (framesPerSlot === undefined ? false : framesInSlot === framesPerSlot);
    if (isWhole) break;
    if (endIndex - index < SYNCFRAME_HEADER_BYTES) {
      return { kind: "more", neededBytes: index - startIndex + SYNCFRAME_HEADER_BYTES };
    }
    const frame = parseFrame(bytes, index);
    const startsSlot = frame !== undefined && frame.strmtyp !== 1 && frame.substreamId === 0;
    if (blockCount === 6 && (frame === undefined || startsSlot)) break;
    if (frame === undefined || (frameCount === 0 && !startsSlot) || !fits(frame, config)) return NO_PACKET;
    if (startsSlot) {
      blockCount += frame.blockCount;
      framesInSlot = 0;
      if (blockCount > 6) return NO_PACKET;
    }
    framesInSlot++;
    evidenceBits += 16 + 2.8 + (config === undefined ? 0 : 9);
    if (index + frame.sizeBytes <= endIndex && isSyncframeCrcRight(bytes, index, frame.sizeBytes)) evidenceBits += 16;
    index += frame.sizeBytes;
  }
  return { kind: "packet", sizeBytes: index - startIndex, evidenceBits, isSync: true, durationSamples: 1536 };
}

/** An E-AC-3 stream may carry AC-3 frames as its first independent substream (§E.1.3.1.1, bsid ≤ 8). */
function parseFrame(bytes: Uint8Array, index: number): Eac3Syncframe | undefined {
  const frame = parseEac3Syncframe(bytes, index);
  if (frame !== undefined) return frame;
  const core = parseAc3Syncframe(bytes, index);
  if (core === undefined || core.bsid > 8) return undefined;
  const { fscod, acmod, isLfeOn, bsid, sampleRateHz, sizeBytes } = core;
  return { strmtyp: 0, substreamId: 0, fscod, blockCount: 6, acmod, isLfeOn, bsid, sampleRateHz, sizeBytes };
}

function fits(frame: Eac3Syncframe, config: Eac3Config | undefined): boolean {
  if (config === undefined || frame.strmtyp === 1) return true;
  const substream = config.substreams[frame.substreamId];
  return (
    substream !== undefined &&
    substream.fscod === frame.fscod &&
    substream.acmod === frame.acmod &&
    substream.isLfeOn === frame.isLfeOn
  );
}

function countSubstreams(config: Eac3Config): number {
  return config.substreams.reduce((sum, substream) => sum + 1 + substream.dependentSubstreamCount, 0);
}
