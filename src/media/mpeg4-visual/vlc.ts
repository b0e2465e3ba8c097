/** One code word: its value and length in bits. */
export type CodeWord = readonly [code: number, lengthBits: number];

/** A prefix code as a table over the next `peekBits` bits. */
export interface Vlc {
  readonly peekBits: number;
  /** (symbol << 4) | length by the bits that come; 0 where no code word matches. */
  readonly entries: Uint16Array;
}

/** Builds the table; the symbol of a word is its index in `words`. A length of 0 leaves a symbol without a word. */
export function buildVlc(words: readonly CodeWord[]): Vlc {
  const peekBits = words.reduce((most, [, lengthBits]) => Math.max(most, lengthBits), 0);
  const entries = new Uint16Array(1 << peekBits);
  words.forEach(([code, lengthBits], symbol) => {
    if (lengthBits === 0) return;
    const spareBits = peekBits - lengthBits;
    entries.fill((symbol << 4) | lengthBits, code << spareBits, (code + 1) << spareBits);
  });
  return { peekBits, entries };
}

/**
 * Reads bits quickly and without throwing: past the end there are zeros, and `isPastEnd` tells. Positions count bits
 * from the start of `bytes`, which must be shorter than 256 MiB.
 */
export class BitCursor {
  position: number;
  readonly endBit: number;
  readonly bytes: Uint8Array;
  readonly endIndex: number;

  constructor(bytes: Uint8Array, startBit: number, endIndex: number) {
    this.bytes = bytes;
    this.endIndex = endIndex;
    this.endBit = endIndex * 8;
    this.position = startBit;
  }

  get isPastEnd(): boolean {
    return this.position > this.endBit;
  }

  /** The next `count` bits, 1 ≤ count ≤ 24, without moving on. */
  peek(count: number): number {
    const index = this.position >>> 3;
    const bytes = this.bytes;
    const word =
      index + 4 <= this.endIndex
        ? ((bytes[index] as number) << 24) |
          ((bytes[index + 1] as number) << 16) |
          ((bytes[index + 2] as number) << 8) |
          (bytes[index + 3] as number)
        : this.#lastWord(index);
    return (word << (this.position & 7)) >>> (32 - count);
  }

  read(count: number): number {
    const value = this.peek(count);
    this.position += count;
    return value;
  }

  /** The symbol of the code word that comes, or −1 where none matches (the position stays then). */
  symbol(vlc: Vlc): number {
    const entry = vlc.entries[this.peek(vlc.peekBits)] as number;
    if (entry === 0) return -1;
    this.position += entry & 15;
    return entry >>> 4;
  }

  #lastWord(index: number): number {
    let word = 0;
    for (let i = 0; i < 4; i++)
      word = (word << 8) | (index + i < this.endIndex ? (this.bytes[index + i] as number) : 0);
    return word;
  }
}
