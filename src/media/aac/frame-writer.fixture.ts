import type { AudioSpecificConfig } from "./audio-specific-config.ts";
import { listHuffmanCodes, spectralValues } from "./huffman-lookup.ts";
import { type HuffmanTable, SCALE_FACTOR_TABLE, SPECTRAL_TABLES } from "./huffman-tables.ts";
import { scaleFactorBands } from "./scale-factor-bands.ts";

/** Writes frames that are valid but otherwise arbitrary: every choice is drawn from `choices`. */
export class FrameWriter {
  readonly bits: number[] = [];
  readonly #choices: () => number;
  readonly #config: AudioSpecificConfig;
  #lastBooks: { book: number; bands: number }[] = [];

  constructor(config: AudioSpecificConfig, choices: () => number) {
    this.#config = config;
    this.#choices = choices;
  }

  put(value: number, count: number): void {
    for (let i = count - 1; i >= 0; i--) this.bits.push(Math.floor(value / 2 ** i) & 1);
  }

  /** 0 ≤ result < limit. */
  pick(limit: number): number {
    return this.#choices() % limit;
  }

  putCode(table: HuffmanTable, symbol: number): void {
    const code = listHuffmanCodes(table).find((entry) => entry.symbol === symbol);
    if (code === undefined) throw new Error(`No codeword for ${symbol}.`);
    this.put(code.value, code.lengthBits);
  }

  align(): void {
    while (this.bits.length % 8 !== 0) this.bits.push(0);
  }

  frame(elements: readonly (readonly [id: number, tag: number])[]): Uint8Array {
    for (const [id, tag] of elements) {
      this.put(id, 3);
      if (id === 1) this.pair(tag);
      else if (id === 2) this.coupling(tag);
      else if (id === 4) this.data(tag);
      else if (id === 5) this.program(tag);
      else if (id === 6) this.fill(tag);
      else {
        this.put(tag, 4);
        this.stream(undefined, false);
      }
    }
    this.put(7, 3);
    this.align();
    return Uint8Array.from({ length: this.bits.length / 8 }, (_, i) =>
      this.bits.slice(i * 8, i * 8 + 8).reduce((byte, bit) => byte * 2 + bit, 0),
    );
  }

  pair(tag: number): void {
    this.put(tag, 4);
    const isCommon = this.pick(2) === 1;
    this.put(isCommon ? 1 : 0, 1);
    if (!isCommon) {
      this.stream(undefined, false);
      this.stream(undefined, false);
      return;
    }
    const info = this.info();
    const mask = this.pick(3);
    this.put(mask, 2);
    if (mask === 1) for (let i = info.groups.length * info.maxBands; i > 0; i--) this.put(this.pick(2), 1);
    this.stream(info, false);
    this.stream(info, true);
  }

  info() {
    const bands = scaleFactorBands(this.#config.rateIndex, this.#config.frameLengthSamples);
    if (bands === undefined) throw new Error("No bands.");
    const sequence = this.pick(4);
    this.put(0, 1);
    this.put(sequence, 2);
    this.put(this.pick(2), 1);
    const edges = sequence === 2 ? bands.shortEdges : bands.longEdges;
    const maxBands = this.pick(Math.min(edges.length, 20));
    const groups = [1];
    if (sequence === 2) {
      this.put(maxBands, 4);
      for (let window = 1; window < 8; window++) {
        const joins = this.pick(2);
        this.put(joins, 1);
        if (joins === 1) groups[groups.length - 1] = (groups.at(-1) ?? 0) + 1;
        else groups.push(1);
      }
    } else {
      this.put(maxBands, 6);
      this.put(0, 1);
    }
    return { sequence, edges, maxBands, groups };
  }

  stream(shared: ReturnType<FrameWriter["info"]> | undefined, allowsIntensity: boolean): void {
    this.put(128, 8);
    const info = shared ?? this.info();
    const isShort = info.sequence === 2;
    const lengthBits = isShort ? 3 : 5;
    const sections: { book: number; bands: number; coefficients: number }[] = [];
    for (const windows of info.groups) {
      for (let band = 0; band < info.maxBands; ) {
        const end = band + 1 + this.pick(info.maxBands - band);
        const books = allowsIntensity
          ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15]
          : [0, 1, 3, 5, 7, 9, 11, 11, 13];
        const book = books[this.pick(books.length)] ?? 0;
        this.put(book, 4);
        let left = end - band;
        for (; left >= 2 ** lengthBits - 1; left -= 2 ** lengthBits - 1) this.put(2 ** lengthBits - 1, lengthBits);
        this.put(left, lengthBits);
        const coefficients = ((info.edges[end] ?? 0) - (info.edges[band] ?? 0)) * windows;
        sections.push({ book, bands: end - band, coefficients });
        band = end;
      }
    }
    this.#lastBooks = sections;
    this.scaleFactors(sections);
    this.tools(isShort);
    for (const { book, coefficients } of sections) this.spectrum(book, coefficients);
  }

  scaleFactors(sections: readonly { book: number; bands: number }[]): void {
    let hasNoise = false;
    for (const { book, bands } of sections) {
      if (book === 0) continue;
      for (let band = 0; band < bands; band++) {
        if (book === 13 && !hasNoise) this.put(this.pick(512), 9);
        // Ups and downs in turn keep the factor within its range; noise and intensity may wander.
        else
          this.putCode(SCALE_FACTOR_TABLE, book >= 13 ? this.pick(121) : 60 + (band % 2 === 0 ? 1 : -1) * (band % 50));
        if (book === 13) hasNoise = true;
      }
    }
  }

  tools(isShort: boolean): void {
    const hasPulses = !isShort && this.pick(4) === 0;
    this.put(hasPulses ? 1 : 0, 1);
    if (hasPulses) {
      const more = this.pick(4);
      this.put(more, 2);
      this.put(this.pick(20), 6);
      for (let i = 0; i <= more; i++) this.put(this.pick(512), 9);
    }
    const hasShaping = this.pick(3) === 0;
    this.put(hasShaping ? 1 : 0, 1);
    for (let window = hasShaping ? (isShort ? 8 : 1) : 0; window > 0; window--) {
      const filters = this.pick(isShort ? 2 : 4);
      this.put(filters, isShort ? 1 : 2);
      if (filters === 0) continue;
      const resolution = this.pick(2);
      this.put(resolution, 1);
      for (let filter = 0; filter < filters; filter++) {
        const order = this.pick(isShort ? 8 : 13);
        this.put(this.pick(16), isShort ? 4 : 6);
        this.put(order, isShort ? 3 : 5);
        if (order === 0) continue;
        const compressed = this.pick(2);
        this.put(this.pick(2) * 2 + compressed, 2);
        for (let i = 0; i < order; i++) this.put(this.pick(4), 3 + resolution - compressed);
      }
    }
    this.put(0, 1);
  }

  spectrum(book: number, coefficients: number): void {
    const table = SPECTRAL_TABLES[book - 1];
    if (table === undefined) return;
    for (let i = 0; i < coefficients; i += table.dimension) {
      // Mostly short codewords, so that frames stay within the size allowed.
      const symbol = table.symbols[this.pick(this.pick(8) === 0 ? table.symbols.length : 4)] ?? 0;
      this.putCode(table, symbol);
      const values = spectralValues(table, symbol);
      if (!table.signed) for (const value of values) if (value !== 0) this.put(this.pick(2), 1);
      if (book !== 11) continue;
      for (const value of values) {
        if (value !== 16) continue;
        const prefix = this.pick(9);
        this.put(2 ** (prefix + 1) - 2, prefix + 1);
        this.put(this.pick(2 ** (prefix + 4)), prefix + 4);
      }
    }
  }

  coupling(tag: number): void {
    this.put(tag, 4);
    const isIndependent = this.pick(2);
    this.put(isIndependent, 1);
    this.put(1, 3);
    this.put(0b1_0000_11, 7);
    this.put(0b0_0001, 5);
    this.put(0, 4);
    this.stream(undefined, false);
    // Two lists for the pair and one for the single; the first has no gains of its own.
    for (let list = 1; list < 3; list++) {
      const isCommon = isIndependent === 1 || this.pick(2) === 1;
      if (isIndependent === 0) this.put(isCommon ? 1 : 0, 1);
      const coded = this.#lastBooks.filter(({ book }) => book !== 0).reduce((sum, { bands }) => sum + bands, 0);
      for (let i = isCommon ? 1 : coded; i > 0; i--) this.putCode(SCALE_FACTOR_TABLE, this.pick(121));
    }
  }

  data(tag: number): void {
    this.put(tag, 4);
    const isAligned = this.pick(2);
    this.put(isAligned, 1);
    const count = this.pick(300);
    this.put(Math.min(count, 255), 8);
    if (count >= 255) this.put(count - 255, 8);
    if (isAligned === 1) this.align();
    for (let i = 0; i < count; i++) this.put(this.pick(256), 8);
  }

  program(tag: number): void {
    this.put(tag, 4);
    this.put(1, 2);
    this.put(3, 4);
    for (const count of [1, 0, 1]) this.put(count, 4);
    this.put(1, 2);
    this.put(1, 3);
    this.put(0, 4);
    this.put(0b1_0101, 5);
    this.put(0, 1);
    this.put(0b1_011, 4);
    this.put(0b0_0000, 5);
    this.put(0b1_0000, 5);
    this.put(0, 4);
    this.put(0, 4);
    this.align();
    this.put(2, 8);
    this.put(0x4142, 16);
  }

  fill(count: number): void {
    this.put(Math.min(count, 15), 4);
    if (count >= 15) this.put(count - 14, 8);
    for (let i = 0; i < count; i++) this.put(this.pick(256), 8);
  }
}

/** Choices drawn from a seed, so that a failure shrinks to one number. */
export function choicesFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 12;
  };
}
