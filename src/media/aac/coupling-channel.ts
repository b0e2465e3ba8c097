import type { BitCursor } from "./bit-cursor.ts";
import { parseChannelStream } from "./channel-stream.ts";
import { REJECTED } from "./evidence.ts";
import { createIcsInfo, type IcsInfo, type StreamSetup } from "./ics-info.ts";
import { skipScaleFactorCode } from "./scale-factors.ts";
import { createSections, type Sections } from "./sections.ts";

const COUPLING_ROLE = { sharesInfo: false, allowsIntensity: false } as const;

/** Passes over coupling channel elements; holds the buffers this takes. */
export class CouplingParser {
  readonly #setup: StreamSetup;
  readonly #info: IcsInfo;
  readonly #sections: Sections = createSections();
  #seenTags = 0;

  constructor(setup: StreamSetup) {
    this.#setup = setup;
    this.#info = createIcsInfo(setup.bands);
  }

  /** Begins a new frame. */
  restart(): void {
    this.#seenTags = 0;
  }

  /**
   * Parses `coupling_channel_element()` (ISO/IEC 14496-3 Table 4.8) after its id; returns evidence units, REJECTED also
   * where its tag came before in this frame.
   */
  parse(cursor: BitCursor, limitBit: number): number {
    const tag = cursor.bits(4);
    if ((this.#seenTags & (1 << tag)) !== 0) return REJECTED;
    this.#seenTags |= 1 << tag;
    const isIndependent = cursor.bits(1) === 1;
    let gainLists = 0;
    for (let left = cursor.bits(3); left >= 0; left--) {
      gainLists++;
      const isPair = cursor.bits(5) >> 4;
      if (isPair === 1 && cursor.bits(2) === 3) gainLists++;
    }
    cursor.bit += 1 + 1 + 2;
    const units = parseChannelStream(cursor, this.#setup, this.#info, this.#sections, COUPLING_ROLE, limitBit);
    if (units === REJECTED) return REJECTED;
    for (let list = 1; list < gainLists; list++) {
      this.#skipGainList(cursor, isIndependent);
      if (cursor.bit > limitBit) return REJECTED;
    }
    return units;
  }

  #skipGainList(cursor: BitCursor, isIndependent: boolean): void {
    if (isIndependent || cursor.bits(1) === 1) {
      skipScaleFactorCode(cursor);
      return;
    }
    const { count, books, bandCounts } = this.#sections;
    for (let section = 0; section < count; section++) {
      if (books[section] === 0) continue;
      for (let left = bandCounts[section] as number; left > 0; left--) skipScaleFactorCode(cursor);
    }
  }
}
