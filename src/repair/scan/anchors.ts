import { firstIndexWhere } from "../../base/first-index.ts";
import type { ByteWindow } from "../../media/bytes/byte-window.ts";

/** A place where a packet seems to start, seen in a search over every byte. */
export interface Anchor {
  readonly offset: number;
  /** Evidence for it in bits. */
  readonly evidenceBits: number;
  /** Whether it stands beyond doubt; otherwise the bytes may well be another packet's. */
  readonly isSure: boolean;
}

/** Anchors remembered before the oldest half is forgotten. */
const MAX_REMEMBERED = 4096;
/** A question from so little before the known bytes adds to them; one from farther back starts over. */
const MAX_STEP_BACK_BYTES = 64 * 1024;

const LOAD_BYTES = 64 * 1024;

/** What makes an anchor. */
export interface AnchorTest {
  /** Whether any anchor may start with this byte. */
  isStartByte(byte: number): boolean;
  /** The anchor at an offset, if any. May move the window. */
  anchorAt(offset: number): Anchor | undefined;
}

/** The anchors of one stretch of bytes, found as they are asked for, so that no byte is looked at twice on the way on. */
export class Anchors {
  readonly #window: ByteWindow;
  readonly #test: AnchorTest;
  readonly #limit: number;
  #found: Anchor[] = [];
  /** All anchors in `[#from, #to)` are known. */
  #from = 0;
  #to = 0;

  /** `limit` is where the bytes end. */
  constructor(window: ByteWindow, test: AnchorTest, limit: number) {
    this.#window = window;
    this.#test = test;
    this.#limit = limit;
  }

  /** The first anchor in `[offset, reach]`. Looks at no byte past `reach`. */
  next(offset: number, reach: number): Anchor | undefined {
    const known = this.#known(offset);
    if (known !== undefined) return known.offset <= reach ? known : undefined;
    const end = Math.min(this.#limit, reach + 1);
    const anchor = this.#find(this.#to, end);
    this.#to = anchor ? anchor.offset + 1 : Math.max(this.#to, end);
    if (anchor) this.#remember(anchor);
    return anchor;
  }

  #find(from: number, end: number): Anchor | undefined {
    if (from >= end) return undefined;
    const isStart = Uint8Array.from({ length: 256 }, (_, byte) => (this.#test.isStartByte(byte) ? 1 : 0));
    const window = this.#window;
    let at = from;
    while (at < end) {
      const visible = Math.min(window.load(at, Math.min(LOAD_BYTES, end - at)), end - at);
      if (visible <= 0) return undefined;
      const { bytes } = window;
      const first = at - window.baseOffset;
      let index = first;
      while (index < first + visible && isStart[bytes[index] as number] === 0) index++;
      at += index - first;
      if (index === first + visible) continue;
      const anchor = this.#test.anchorAt(at);
      if (anchor) return anchor;
      at++;
    }
    return undefined;
  }

  /** The first anchor from `offset` on among those known; starts over where the bytes from there on are not. */
  #known(offset: number): Anchor | undefined {
    if (offset < this.#from && this.#from - offset <= MAX_STEP_BACK_BYTES) this.#stepBack(offset);
    if (offset < this.#from || offset > this.#to) {
      this.#found = [];
      this.#from = offset;
      this.#to = offset;
      return undefined;
    }
    return this.#found[firstIndexWhere(this.#found.length, (index) => (this.#found[index] as Anchor).offset >= offset)];
  }

  /** Looks at the bytes just before those known, so that these need not be looked at again. */
  #stepBack(offset: number): void {
    const before: Anchor[] = [];
    let anchor = this.#find(offset, this.#from);
    while (anchor !== undefined) {
      before.push(anchor);
      anchor = this.#find(anchor.offset + 1, this.#from);
    }
    this.#found.unshift(...before);
    this.#from = offset;
  }

  #remember(anchor: Anchor): void {
    this.#found.push(anchor);
    if (this.#found.length <= MAX_REMEMBERED) return;
    this.#found = this.#found.slice(MAX_REMEMBERED / 2);
    this.#from = (this.#found[0] as Anchor).offset;
  }
}
