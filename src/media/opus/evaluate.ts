import type { CeltShape } from "./celt-allocation.ts";
import {
  type CeltEnergy,
  type CeltEnergyFrame,
  copyCeltEnergy,
  createCeltEnergy,
  followEnergy,
} from "./celt-energy.ts";
import { decodeCeltFrame, decodeCeltHead } from "./celt-frame.ts";
import { RangeDecoder } from "./range-decoder.ts";
import { CONTEXT, type SymbolTrace } from "./symbol-trace.ts";
import { type OpusPacket, type OpusToc, parseOpusPacket, parseOpusToc } from "./toc.ts";

/** What one elementary stream's packets leave for the next to be judged by. Immutable once made. */
export interface OpusStreamState {
  readonly energy: CeltEnergy;
}

/** The state before a stream's first packet, and after a loss. */
export function createOpusStreamState(): OpusStreamState {
  return { energy: createCeltEnergy() };
}

/** The energy of each frame of one stream's packet; undefined for frames that leave the levels unknown. */
export type StreamEnergy = readonly (CeltEnergyFrame | undefined)[];

/** One packet read as a whole, apart from what hangs on the packet before it. */
export interface OpusReading {
  /** Size of the packet. */
  readonly sizeBytes: number;
  readonly durationSamples: number;
  /** Whether every frame is digital silence. */
  readonly isSilence: boolean;
  /** Frames over all streams. */
  readonly frameCount: number;
  /** One entry per elementary stream in the packet (more than one for surround sound). */
  readonly energies: readonly StreamEnergy[];
}

/**
 * Reads the packet `[startIndex, endIndex)` with all its symbols, which go to `trace` (cleared first) but for those of
 * the energy: they come with `followOpusPacket`. Undefined where its framing is broken.
 */
export function readOpusPacket(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  streamCount: number,
  trace: SymbolTrace,
): OpusReading | undefined {
  trace.clear();
  const energies: StreamEnergy[] = [];
  let durationSamples = 0;
  let frameCount = 0;
  let index = startIndex;
  let isSilence = true;
  for (let stream = 0; stream < streamCount; stream++) {
    const packet = parseOpusPacket(bytes, index, endIndex, stream < streamCount - 1);
    if (!packet || (stream > 0 && packet.durationSamples !== durationSamples)) return undefined;
    durationSamples = packet.durationSamples;
    index = packet.endIndex;
    const energy = readFrames(bytes, packet, trace);
    if (!energy.every((frame) => frame?.isSilence)) isSilence = false;
    frameCount += energy.length;
    energies.push(energy);
  }
  return { sizeBytes: endIndex - startIndex, durationSamples, isSilence, frameCount, energies };
}

/**
 * Reads only as much of a packet at `startIndex` as does not hang on where it ends; the symbols but those of the energy
 * go to `trace` (cleared first). Undefined where that is nothing: SILK frames, several frames, several streams.
 */
export function readOpusStart(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  streamCount: number,
  trace: SymbolTrace,
): CeltEnergyFrame | undefined {
  trace.clear();
  const toc = parseOpusToc(bytes[startIndex] ?? 0);
  if (streamCount !== 1 || toc.mode !== "celt" || toc.code !== 0) return undefined;
  return decodeCeltHead(new RangeDecoder(bytes, startIndex + 1, endIndex), celtShape(toc), trace).energy;
}

/** The states after a packet. The symbols of its energy, seen from the states before it, are added to `trace`. */
export function followOpusPacket(
  states: readonly OpusStreamState[],
  energies: readonly StreamEnergy[],
  trace: SymbolTrace,
): readonly OpusStreamState[] {
  return states.map((state, stream) => {
    const energy = copyCeltEnergy(state.energy);
    for (const frame of energies[stream] ?? []) {
      if (frame) followEnergy(energy, frame, trace);
      else energy.isKnown = false;
    }
    return { energy };
  });
}

function celtShape(toc: OpusToc): CeltShape {
  return { lm: Math.log2(toc.frameSamples / 120), channels: toc.channels, startBand: 0, endBand: toc.endBand };
}

function readFrames(bytes: Uint8Array, { toc, frames }: OpusPacket, trace: SymbolTrace): StreamEnergy {
  const shape = celtShape(toc);
  return frames.map(({ startIndex, endIndex }) => {
    if (toc.mode !== "celt" || endIndex - startIndex < 2) return undefined;
    const decoder = new RangeDecoder(bytes, startIndex, endIndex);
    const result = decodeCeltFrame(decoder, shape, trace);
    if (result.isSilence) return result.energy;
    trace.add(CONTEXT.validity, result.isValid ? 0 : 1, result.isValid ? 0.8 : 0.2);
    if (!result.isValid) return result.energy;
    const checked = decoder.checkJunction();
    // Random bytes pass in one case of 2^(bits checked + 1).
    const passChance = 2 ** -(Math.min(24, Math.max(0, checked)) + 1);
    trace.add(CONTEXT.junction, checked < 0 ? 1 : 0, checked < 0 ? 0.6 : passChance);
    return result.energy;
  });
}
