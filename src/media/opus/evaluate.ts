import type { CeltShape } from "./celt-allocation.ts";
import { type CeltEnergy, copyCeltEnergy, createCeltEnergy } from "./celt-energy.ts";
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

/** One packet read as a whole. */
export interface OpusReading {
  /** One entry per elementary stream in the packet (more than one for surround sound). */
  readonly streams: readonly OpusPacket[];
  readonly durationSamples: number;
  /** Whether every frame is digital silence. */
  readonly isSilence: boolean;
  /** States after the packet, one per stream. */
  readonly states: readonly OpusStreamState[];
}

/**
 * Reads the packet `[startIndex, endIndex)` with all its symbols, which go to `trace` (cleared first). Undefined where
 * its framing is broken. `states` has one entry per stream.
 */
export function readOpusPacket(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  states: readonly OpusStreamState[],
  trace: SymbolTrace,
): OpusReading | undefined {
  trace.clear();
  const streams: OpusPacket[] = [];
  const nextStates: OpusStreamState[] = [];
  let index = startIndex;
  let isSilence = true;
  for (const [i, state] of states.entries()) {
    const isLast = i === states.length - 1;
    const packet = parseOpusPacket(bytes, index, endIndex, !isLast);
    if (!packet) return undefined;
    index = packet.endIndex;
    const energy = copyCeltEnergy(state.energy);
    for (const frame of packet.frames) {
      if (!readFrame(bytes, packet.toc, frame.startIndex, frame.endIndex, energy, trace)) isSilence = false;
    }
    streams.push(packet);
    nextStates.push({ energy });
  }
  const [first] = streams;
  if (!first || streams.some((packet) => packet.durationSamples !== first.durationSamples)) return undefined;
  return { streams, durationSamples: first.durationSamples, isSilence, states: nextStates };
}

/**
 * Reads only as much of a packet at `startIndex` as does not hang on where it ends; the symbols go to `trace` (cleared
 * first). False where that is nothing: SILK frames, several frames, several streams.
 */
export function readOpusStart(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  states: readonly OpusStreamState[],
  trace: SymbolTrace,
): boolean {
  trace.clear();
  const [state, ...others] = states;
  const toc = parseOpusToc(bytes[startIndex] ?? 0);
  if (!state || others.length > 0 || toc.mode !== "celt" || toc.code !== 0) return false;
  const decoder = new RangeDecoder(bytes, startIndex + 1, endIndex);
  decodeCeltHead(decoder, celtShape(toc), copyCeltEnergy(state.energy), trace);
  return true;
}

function celtShape(toc: OpusToc): CeltShape {
  return { lm: Math.log2(toc.frameSamples / 120), channels: toc.channels, startBand: 0, endBand: toc.endBand };
}

/** Reads one frame; returns whether it is digital silence. */
function readFrame(
  bytes: Uint8Array,
  toc: OpusToc,
  startIndex: number,
  endIndex: number,
  energy: CeltEnergy,
  trace: SymbolTrace,
): boolean {
  if (toc.mode !== "celt" || endIndex - startIndex < 2) {
    energy.isKnown = false;
    return false;
  }
  const decoder = new RangeDecoder(bytes, startIndex, endIndex);
  const result = decodeCeltFrame(decoder, celtShape(toc), energy, trace);
  if (result.isSilence) return true;
  trace.add(CONTEXT.validity, result.isValid ? 0 : 1, result.isValid ? 0.8 : 0.2);
  if (!result.isValid) return false;
  const checked = decoder.checkJunction();
  // Random bytes pass in one case of 2^(bits checked + 1).
  const passChance = 2 ** -(Math.min(24, Math.max(0, checked)) + 1);
  trace.add(CONTEXT.junction, checked < 0 ? 1 : 0, checked < 0 ? 0.6 : passChance);
  return false;
}
