import type { AacFrame } from "./aac-frame.ts";
import { BitCursor } from "./bit-cursor.ts";
import { parseChannelStream } from "./channel-stream.ts";
import { CouplingParser } from "./coupling-channel.ts";
import { ElementFollower, type ElementLayout } from "./element-layout.ts";
import { EVIDENCE_UNITS_PER_BIT, evidenceUnits, REJECTED } from "./evidence.ts";
import { createIcsInfo, type IcsInfo, parseIcsInfo, type StreamSetup } from "./ics-info.ts";
import { ELEMENT } from "./program-config.ts";
import { createSections, type Sections } from "./sections.ts";
import { SideElements, skipDataStream, skipProgramConfig } from "./side-elements.ts";

/** What `parseFrame` answers: a frame, too few bytes to tell, or no frame. */
export type AacFrameProbe =
  | AacFrame
  | { readonly kind: "more"; readonly neededBytes: number }
  | { readonly kind: "no" };

/** The one `no` answer. */
export const NO_FRAME: AacFrameProbe = { kind: "no" };

/** A channel's frame should hold at most 6144 bits (ISO/IEC 14496-3 §4.5.1.1). */
const MAX_CHANNEL_BYTES = 768;
/** Encoders at their highest rates overshoot that by a little; such frames are believed less. */
const MAX_SEEN_CHANNEL_BYTES = 1024;
/** Fill and data stream elements beside the channels, at most as far as this parser believes them. */
const MAX_SIDE_BYTES = 512;
/** The parser may read this far past a limit before it checks. */
const MARGIN_BYTES = 4096;
const MAX_ELEMENTS = 64;
/**
 * A data stream element before the channels is rare, and two stray bytes that look like one make a frame out of whatever
 * lies between them and the next true frame: such a frame is never believed more than this.
 */
const LEADING_DATA_EVIDENCE_BITS = 11;

const END_UNITS = evidenceUnits(0.8, 3);
const FILL_UNITS = evidenceUnits(0.15, 3);
const OTHER_UNITS = evidenceUnits(0.01, 3);
const COMMON_WINDOW_UNITS = [evidenceUnits(0.2, 1), evidenceUnits(0.8, 1)] as const;
const OVERSIZE_UNITS = evidenceUnits(0.02, 0);
const MS_MASK_UNITS = evidenceUnits(1 / 3, 2);
const ALIGNMENT_ZERO_CHANCE = 0.95;
const ALIGNMENT_UNITS = Array.from({ length: 8 }, (_, bits) => ({
  zero: evidenceUnits(ALIGNMENT_ZERO_CHANCE, bits),
  other: evidenceUnits((1 - ALIGNMENT_ZERO_CHANCE) / Math.max(1, 2 ** bits - 1), bits),
}));

/** Parses `raw_data_block()` after `raw_data_block()` of one configuration; holds the buffers this takes. */
export class RawDataBlockParser {
  readonly #setup: StreamSetup;
  readonly #follower: ElementFollower;
  readonly #coupling: CouplingParser;
  readonly #allowsCoupling: boolean;
  readonly #allowsProgram: boolean;
  /** Whole frame and what of it the channels may take, in bytes. */
  readonly #maxFrameBytes: number;
  readonly #maxChannelBits: number;
  readonly #maxSeenChannelBits: number;
  readonly #more: { readonly kind: "more"; readonly neededBytes: number };
  readonly #cursor = new BitCursor();
  readonly #info: IcsInfo;
  readonly #secondInfo: IcsInfo;
  readonly #sections: Sections = createSections();
  readonly #side = new SideElements();
  /** Frames near the end of the visible bytes are parsed here, so that reading ahead finds zeros. */
  readonly #tail: Uint8Array;
  readonly #tailView: DataView;
  #bytes: Uint8Array | undefined;
  #bytesView: DataView;
  #first = { windowSequence: 0 as 0 | 1 | 2 | 3, windowShape: 0 as 0 | 1, gain: 0, bands: 0, tag: 0, common: false };
  /** Channel elements so far. */
  #elementCount = 0;
  #hasLeadingData = false;

  constructor(setup: StreamSetup, layout: ElementLayout) {
    this.#setup = setup;
    this.#follower = new ElementFollower(layout);
    this.#coupling = new CouplingParser(setup);
    this.#allowsCoupling = layout.allowsCoupling;
    this.#allowsProgram = layout.rule !== "ordered";
    this.#maxChannelBits = layout.channels * MAX_CHANNEL_BYTES * 8;
    this.#maxSeenChannelBits = layout.channels * MAX_SEEN_CHANNEL_BYTES * 8;
    this.#maxFrameBytes = layout.channels * MAX_SEEN_CHANNEL_BYTES + MAX_SIDE_BYTES;
    this.#more = { kind: "more", neededBytes: this.#maxFrameBytes };
    this.#info = createIcsInfo(setup.bands);
    this.#secondInfo = createIcsInfo(setup.bands);
    this.#tail = new Uint8Array(this.#maxFrameBytes + MARGIN_BYTES);
    this.#tailView = new DataView(this.#tail.buffer);
    this.#bytesView = this.#tailView;
  }

  /** Parses the frame that begins at `bytes[startIndex]`; looks at nothing from `endIndex` on. Never throws. */
  parseFrame(bytes: Uint8Array, startIndex: number, endIndex: number): AacFrameProbe {
    const visibleBytes = Math.min(endIndex, bytes.length) - startIndex;
    if (visibleBytes < 1) return this.#more;
    this.#placeCursor(bytes, startIndex, visibleBytes);
    const units = this.#parseElements();
    const cursor = this.#cursor;
    if (visibleBytes < this.#maxFrameBytes && cursor.bit > visibleBytes * 8) return this.#more;
    if (units < REJECTED / 2) return NO_FRAME;
    const channelBits = cursor.bit - 8 * this.#side.bytes;
    if (channelBits > this.#maxSeenChannelBits || cursor.bit > this.#maxFrameBytes * 8) return NO_FRAME;
    const isOversized = channelBits > this.#maxChannelBits + 8;
    return this.#describe(cursor.bit >> 3, isOversized ? units + OVERSIZE_UNITS : units);
  }

  #describe(sizeBytes: number, units: number): AacFrame {
    const first = this.#first;
    const evidenceBits = Math.max(0, units / EVIDENCE_UNITS_PER_BIT);
    return {
      kind: "frame",
      sizeBytes,
      evidenceBits: this.#hasLeadingData ? Math.min(evidenceBits, LEADING_DATA_EVIDENCE_BITS) : evidenceBits,
      durationSamples: this.#setup.frameLengthSamples,
      windowSequence: first.windowSequence,
      windowShape: first.windowShape,
      globalGain: first.gain,
      maxBands: first.bands,
      elementTag: first.tag,
      hasCommonWindow: first.common,
      hasSbr: this.#side.hasSbr,
      fillBytes: this.#side.bytes,
    };
  }

  #placeCursor(bytes: Uint8Array, startIndex: number, visibleBytes: number): void {
    const cursor = this.#cursor;
    cursor.bit = 0;
    if (visibleBytes < this.#tail.length) {
      this.#tail.set(bytes.subarray(startIndex, startIndex + visibleBytes));
      this.#tail.fill(0, visibleBytes);
      cursor.view = this.#tailView;
      cursor.baseIndex = 0;
      return;
    }
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#bytesView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    cursor.view = this.#bytesView;
    cursor.baseIndex = startIndex;
  }

  /** The elements up to ID_END and the alignment after it (ISO/IEC 14496-3 Table 4.3). Returns evidence or REJECTED. */
  #parseElements(): number {
    const cursor = this.#cursor;
    const limitBit = this.#maxFrameBytes * 8;
    this.#follower.restart();
    this.#coupling.restart();
    this.#side.restart();
    this.#elementCount = 0;
    this.#hasLeadingData = false;
    let units = 0;
    for (let left = MAX_ELEMENTS; left > 0; left--) {
      const id = cursor.bits(3);
      if (id === ELEMENT.END) {
        if (!this.#follower.isComplete) return REJECTED;
        const padding = cursor.alignToByte();
        const alignment = ALIGNMENT_UNITS[padding >> 8];
        if (alignment === undefined) return REJECTED;
        return units + END_UNITS + ((padding & 0xff) === 0 ? alignment.zero : alignment.other);
      }
      const elementUnits = this.#parseElement(id, limitBit);
      if (elementUnits < REJECTED / 2 || cursor.bit > limitBit) return REJECTED;
      units += elementUnits;
    }
    return REJECTED;
  }

  #parseElement(id: number, limitBit: number): number {
    const cursor = this.#cursor;
    switch (id) {
      case ELEMENT.SCE:
      case ELEMENT.LFE:
        return this.#parseSingle(id, limitBit);
      case ELEMENT.CPE:
        return this.#parsePair(limitBit);
      case ELEMENT.CCE:
        return this.#allowsCoupling ? OTHER_UNITS + this.#coupling.parse(cursor, limitBit) : REJECTED;
      case ELEMENT.DSE:
        this.#hasLeadingData ||= this.#elementCount === 0;
        return OTHER_UNITS + skipDataStream(cursor, this.#side);
      case ELEMENT.PCE:
        return this.#allowsProgram ? OTHER_UNITS + skipProgramConfig(cursor) : REJECTED;
      case ELEMENT.FIL:
        return FILL_UNITS + this.#side.skipFill(cursor);
      default:
        return REJECTED;
    }
  }

  #parseSingle(id: number, limitBit: number): number {
    const cursor = this.#cursor;
    const tag = cursor.bits(4);
    const units = this.#follower.accept(id, tag);
    if (units === REJECTED) return REJECTED;
    const streamUnits = parseChannelStream(cursor, this.#setup, this.#info, this.#sections, SINGLE, limitBit);
    if (streamUnits === REJECTED) return REJECTED;
    this.#noteFirst(tag, false, this.#sections.globalGain);
    return units + streamUnits;
  }

  /** `channel_pair_element()` (Table 4.5). */
  #parsePair(limitBit: number): number {
    const cursor = this.#cursor;
    const head = cursor.bits(5);
    let units = this.#follower.accept(ELEMENT.CPE, head >> 1);
    if (units === REJECTED) return REJECTED;
    const hasCommonWindow = (head & 1) === 1;
    units += COMMON_WINDOW_UNITS[hasCommonWindow ? 1 : 0];
    if (hasCommonWindow) {
      units += parseIcsInfo(cursor, this.#setup, this.#info, true);
      if (units < REJECTED / 2) return REJECTED;
      const msMask = cursor.bits(2);
      if (msMask === 3) return REJECTED;
      units += MS_MASK_UNITS;
      if (msMask === 1) cursor.bit += this.#info.groupCount * this.#info.maxBands;
    }
    const role = hasCommonWindow ? SHARING_FIRST : SINGLE;
    const leftUnits = parseChannelStream(cursor, this.#setup, this.#info, this.#sections, role, limitBit);
    if (leftUnits === REJECTED) return REJECTED;
    this.#noteFirst(head >> 1, hasCommonWindow, this.#sections.globalGain);
    const secondInfo = hasCommonWindow ? this.#info : this.#secondInfo;
    const secondRole = hasCommonWindow ? SHARING_SECOND : SINGLE;
    const rightUnits = parseChannelStream(cursor, this.#setup, secondInfo, this.#sections, secondRole, limitBit);
    return rightUnits === REJECTED ? REJECTED : units + leftUnits + rightUnits;
  }

  #noteFirst(tag: number, hasCommonWindow: boolean, globalGain: number): void {
    if (this.#elementCount++ > 0) return;
    const first = this.#first;
    first.windowSequence = this.#info.windowSequence;
    first.windowShape = this.#info.windowShape;
    first.bands = this.#info.maxBands;
    first.gain = globalGain;
    first.tag = tag;
    first.common = hasCommonWindow;
  }
}

const SINGLE = { sharesInfo: false, allowsIntensity: false } as const;
const SHARING_FIRST = { sharesInfo: true, allowsIntensity: false } as const;
const SHARING_SECOND = { sharesInfo: true, allowsIntensity: true } as const;
