import type { CeltEnergyFrame } from "./celt-energy.ts";
import {
  createOpusStreamState,
  followOpusPacket,
  type OpusReading,
  type OpusStreamState,
  readOpusPacket,
  readOpusStart,
} from "./evaluate.ts";
import { energyPrior, splitAnglePrior, stereoAnglePrior } from "./sound-prior.ts";
import { CONTEXT, SymbolTrace } from "./symbol-trace.ts";
import { parseOpusToc } from "./toc.ts";

const CLASSES = 32;
/** So many observations weigh as much as the code's own probabilities. */
const PRIOR_WEIGHT = 6;
/** Share of packets that the learned sizes need not explain; those lie about their median, within an octave or so. */
const SIZE_FLOOR = 0.25;
/** Weight of a first byte that was not seen, in packets. */
const UNSEEN_TOC_SHARE = 0.05;
const MAX_PACKET_BYTES = 1275 * 6;

/** What a candidate packet is worth whatever came before it. */
export interface OpusWeight {
  readonly reading: OpusReading;
  /** log2 of how much likelier than any bytes its first byte, size and header are, and its end. */
  readonly bits: number;
  /** The part of it that speaks for the end: what is decoded after the sizes of all fields are fixed by the packet's. */
  readonly endBits: number;
}

/** A packet's beginning, whatever came before it. */
export interface OpusHead {
  readonly bits: number;
  readonly energy: CeltEnergyFrame;
}

/** A candidate packet's worth behind known ones. */
export interface OpusScore {
  /** log2 of how much likelier these bytes are as a packet of this track than as any bytes at all. May be negative. */
  readonly evidenceBits: number;
  /** States for the packet after it. */
  readonly states: readonly OpusStreamState[];
}

/**
 * What the packets of one Opus track look like, learned from healthy ones. Reading a packet to the end of its syntax
 * and comparing each symbol with what the track usually holds tells true packets from other bytes, and true ends from
 * wrong ones. Holds tables that `observe` updates; one model serves one track.
 */
export class OpusModel {
  /** Elementary streams in each packet: 1 but for surround sound. */
  readonly streamCount: number;
  readonly #counts = new Float64Array(CONTEXT.end * CLASSES);
  readonly #totals = new Float64Array(CONTEXT.end);
  readonly #tocs = new Map<number, number>();
  /** By first byte: whether it may start a packet though none was seen to. */
  readonly #possible = new Uint8Array(256);
  readonly #durations = new Map<number, number>();
  readonly #sizes = new Float64Array(SIZE_BINS);
  readonly #trace = new SymbolTrace();
  readonly #general = new Float64Array(GROUPS);
  readonly #learned = new Float64Array(GROUPS);
  #packets = 0;
  #median: number | undefined;
  #smallest = Number.POSITIVE_INFINITY;
  #largest = 0;

  constructor(streamCount = 1) {
    this.streamCount = streamCount;
  }

  /** Packets observed. */
  get packetCount(): number {
    return this.#packets;
  }

  /** Smallest and largest packet to look for: those seen, with room. */
  get sizeBounds(): { readonly minBytes: number; readonly maxBytes: number } {
    if (this.#packets === 0) return { minBytes: 1, maxBytes: MAX_PACKET_BYTES };
    return { minBytes: 2, maxBytes: Math.min(MAX_PACKET_BYTES, Math.max(64, this.#largest * 2)) };
  }

  /** States before the first packet. */
  createStates(): readonly OpusStreamState[] {
    return Array.from({ length: this.streamCount }, () => createOpusStreamState());
  }

  /** Whether a packet of the track was seen to start with this byte. Any byte may while nothing was observed. */
  isStart(byte: number): boolean {
    return this.#packets === 0 || this.#tocs.has(byte);
  }

  /**
   * Whether a packet may start with this byte though none was seen to: an encoder changes bandwidth and channels with
   * the sound, but hardly ever the length of its frames or their number, nor, where speech was not asked for, the mode.
   */
  isPossibleStart(byte: number): boolean {
    return this.#packets === 0 || this.#possible[byte] === 1;
  }

  /** Learns from a packet that is certain, and returns the states after it. Broken framing teaches nothing. */
  observe(bytes: Uint8Array, states: readonly OpusStreamState[]): readonly OpusStreamState[] {
    const trace = this.#trace;
    const reading = readOpusPacket(bytes, 0, bytes.length, this.streamCount, trace);
    if (!reading) return this.createStates();
    const nextStates = followOpusPacket(states, reading.energies, trace);
    for (let i = 0; i < trace.count; i++) {
      const context = trace.contexts[i] as number;
      const index = context * CLASSES + (trace.classes[i] as number);
      this.#counts[index] = (this.#counts[index] as number) + 1;
      this.#totals[context] = (this.#totals[context] as number) + 1;
    }
    const toc = bytes[0] as number;
    if (!this.#tocs.has(toc)) this.#allowKin(toc);
    this.#tocs.set(toc, (this.#tocs.get(toc) ?? 0) + 1);
    this.#durations.set(reading.durationSamples, (this.#durations.get(reading.durationSamples) ?? 0) + 1);
    const bin = sizeBin(bytes.length);
    this.#sizes[bin] = (this.#sizes[bin] as number) + 1;
    this.#smallest = Math.min(this.#smallest, bytes.length);
    this.#largest = Math.max(this.#largest, bytes.length);
    this.#packets++;
    this.#median = undefined;
    return nextStates;
  }

  #allowKin(first: number): void {
    const { frameSamples, code, mode } = parseOpusToc(first);
    for (let byte = 0; byte < 256; byte++) {
      const toc = parseOpusToc(byte);
      if (toc.frameSamples === frameSamples && toc.code === code && toc.mode === mode) this.#possible[byte] = 1;
    }
  }

  /** Weighs `[startIndex, endIndex)` as one packet. Undefined where it cannot be one. */
  weigh(bytes: Uint8Array, startIndex: number, endIndex: number): OpusWeight | undefined {
    const toc = bytes[startIndex];
    if (toc === undefined || !this.isPossibleStart(toc)) return undefined;
    const trace = this.#trace;
    const reading = readOpusPacket(bytes, startIndex, endIndex, this.streamCount, trace);
    if (!reading) return undefined;
    if (this.#packets > 0 && !this.#durations.has(reading.durationSamples)) return undefined;
    const read = this.#traceBits(trace);
    const sizeBits = this.#sizeBits(endIndex - startIndex, silentBytes(reading));
    return { reading, bits: this.tocBits(toc) + sizeBits + read.startBits + read.endBits, endBits: read.endBits };
  }

  /** A weighed packet in the light of the ones before it. */
  score({ reading, bits }: OpusWeight, states: readonly OpusStreamState[]): OpusScore {
    const trace = this.#trace;
    trace.clear();
    const nextStates = followOpusPacket(states, reading.energies, trace);
    return { evidenceBits: bits + this.#traceBits(trace).startBits, states: nextStates };
  }

  /**
   * How a packet that starts at `startIndex` begins, whatever its end: a cheap part of `weigh`. Undefined where nothing
   * can be told before the end is known.
   */
  head(bytes: Uint8Array, startIndex: number, endIndex: number): OpusHead | undefined {
    const energy = readOpusStart(bytes, startIndex, endIndex, this.streamCount, this.#trace);
    return energy && { bits: this.#traceBits(this.#trace).startBits, energy };
  }

  /** log2 of how much likelier than any bytes a beginning is behind the packets before it. */
  headBits({ bits, energy }: OpusHead, states: readonly OpusStreamState[]): number {
    const trace = this.#trace;
    trace.clear();
    followOpusPacket(states, [[energy]], trace);
    return bits + this.#traceBits(trace).startBits;
  }

  /**
   * log2 of learned over coded probability for all symbols. Symbols of a kind stand or fall together: where they fit
   * neither what was learned nor sound in general, they count for nothing rather than against the packet, since the
   * track may well sound otherwise than the recording that was learned from.
   */
  #traceBits(trace: SymbolTrace): { readonly startBits: number; readonly endBits: number } {
    const learned = this.#learned.fill(0);
    const general = this.#general.fill(0);
    for (let i = 0; i < trace.count; i++) {
      const context = trace.contexts[i] as number;
      const coded = trace.probabilities[i] as number;
      const symbolClass = trace.classes[i] as number;
      const size = trace.classSizes[i] as number;
      const group = groupOf(context);
      learned[group] = (learned[group] as number) + this.#symbolBits(context, symbolClass, size, coded);
      const prior = generalPrior(group, context, symbolClass);
      if (prior > 0) general[group] = (general[group] as number) + Math.log2(prior / size / coded);
    }
    const mixed = (group: number): number => mix(learned[group] as number, general[group] as number);
    return {
      startBits: mixed(HEAD_GROUP) + mixed(ENERGY_GROUP) + (learned[SILENCE_GROUP] as number),
      endBits: mixed(STEREO_GROUP) + mixed(SPLIT_GROUP) + (learned[CHECK_GROUP] as number),
    };
  }

  #symbolBits(context: number, symbolClass: number, size: number, coded: number): number {
    const total = this.#totals[context] as number;
    const seen = (this.#counts[context * CLASSES + symbolClass] as number) / size;
    const prior = context === CONTEXT.silence ? silencePrior(symbolClass) : coded;
    return Math.log2((seen + PRIOR_WEIGHT * prior) / (total + PRIOR_WEIGHT) / coded);
  }

  /** log2 of how much likelier a packet of the track starts with this byte than any bytes do. */
  tocBits(toc: number): number {
    if (this.#packets === 0) return 0;
    const seen = this.#tocs.get(toc) ?? 0;
    const prior = seen > 0 ? 1 / this.#tocs.size : UNSEEN_TOC_SHARE;
    return Math.log2((256 * (seen + prior)) / (this.#packets + 1));
  }

  #sizeBits(sizeBytes: number, silentSizeBytes: number | undefined): number {
    if (silentSizeBytes === sizeBytes) return Math.log2(SILENT_SHORT_SHARE);
    const share = silentSizeBytes === undefined ? 0 : Math.log2(1 - SILENT_SHORT_SHARE);
    if (this.#packets === 0) return share - Math.log2(MAX_PACKET_BYTES);
    const bin = sizeBin(sizeBytes);
    let near = 0;
    for (const [distance, weight] of SIZE_KERNEL.entries()) {
      near += weight * (this.#sizes[bin - distance] ?? 0);
      if (distance > 0) near += weight * (this.#sizes[bin + distance] ?? 0);
    }
    const broad = Math.exp(-Math.abs(bin - this.#medianBin()) / BINS_PER_OCTAVE) / (2 * BINS_PER_OCTAVE);
    return share + Math.log2(((1 - SIZE_FLOOR) * (near / this.#packets) + SIZE_FLOOR * broad) / sizeBinWidth(bin));
  }

  #medianBin(): number {
    if (this.#median !== undefined) return this.#median;
    let below = 0;
    let bin = 0;
    while (below + (this.#sizes[bin] as number) < this.#packets / 2) below += this.#sizes[bin++] as number;
    this.#median = bin;
    return bin;
  }
}

const HEAD_GROUP = 0;
const ENERGY_GROUP = 1;
const STEREO_GROUP = 2;
const SPLIT_GROUP = 3;
const CHECK_GROUP = 4;
const SILENCE_GROUP = 5;
const GROUPS = 6;
/** First energy context of frames that follow no known one. */
const COLD_ENERGY = CONTEXT.energy + 80;

/** Symbols that stand or fall together. */
function groupOf(context: number): number {
  if (context >= CONTEXT.silk) return HEAD_GROUP;
  if (context >= CONTEXT.splitAngle) return SPLIT_GROUP;
  if (context >= CONTEXT.stereoAngle) return STEREO_GROUP;
  if (context >= CONTEXT.energy) return ENERGY_GROUP;
  if (context === CONTEXT.silence) return SILENCE_GROUP;
  return context === CONTEXT.validity || context === CONTEXT.junction ? CHECK_GROUP : HEAD_GROUP;
}

/** The probability of a symbol in sound of many kinds; 0 where none is known. */
function generalPrior(group: number, context: number, symbolClass: number): number {
  switch (group) {
    case ENERGY_GROUP:
      return context < COLD_ENERGY ? energyPrior((context - CONTEXT.energy) % 10, symbolClass) : 0;
    case STEREO_GROUP:
      return stereoAnglePrior(symbolClass);
    case SPLIT_GROUP:
      return splitAnglePrior((context - CONTEXT.splitAngle) & 7, symbolClass);
    default:
      return 0;
  }
}

/** Share of silent packets that are as short as can be. */
const SILENT_SHORT_SHARE = 0.7;

/** The size of the shortest packet that says the same, where the packet is silence; undefined where it is not. */
function silentBytes(reading: OpusReading): number | undefined {
  return reading.isSilence && reading.energies.length === 1 && reading.frameCount === 1 ? 3 : undefined;
}

/** Silence may come where the learned recording had none. */
function silencePrior(symbolClass: number): number {
  return symbolClass === 1 ? 1 / 64 : 63 / 64;
}

/** log2 of a mixture of hypotheses: as learned, as sound in general, and as any bytes (0 bits). */
function mix(learnedBits: number, generalBits: number): number {
  const top = Math.max(learnedBits, generalBits, 0);
  const sum = 0.6 * 2 ** (learnedBits - top) + 0.3 * 2 ** (generalBits - top) + 0.1 * 2 ** -top;
  return top + Math.log2(sum);
}

/** Sizes are binned by ratio: 16 bins to each doubling. */
const BINS_PER_OCTAVE = 16;
const SIZE_BINS = 14 * BINS_PER_OCTAVE;
/** How much of a size's weight its neighbours get; sums to 1 over both sides. */
const SIZE_KERNEL: readonly number[] = [0.2, 0.15, 0.1, 0.07, 0.04, 0.02, 0.01, 0.01];

function sizeBin(sizeBytes: number): number {
  return Math.min(SIZE_BINS - 1, Math.floor(Math.log2(sizeBytes + 1) * BINS_PER_OCTAVE));
}

/** How many whole sizes fall into a bin, at least 1. */
function sizeBinWidth(bin: number): number {
  return Math.max(1, 2 ** ((bin + 1) / BINS_PER_OCTAVE) - 2 ** (bin / BINS_PER_OCTAVE));
}

/** Learns a model from consecutive packets of a healthy recording, in order. */
export function learnOpusModel(samples: Iterable<Uint8Array>, streamCount = 1): OpusModel {
  const model = new OpusModel(streamCount);
  let states = model.createStates();
  for (const sample of samples) {
    states = model.observe(sample, states);
  }
  return model;
}
