import { describe, expect, it } from "vitest";
import { listHuffmanCodes, spectralValues } from "./huffman-lookup.ts";
import { type HuffmanTable, SCALE_FACTOR_TABLE, SPECTRAL_TABLES } from "./huffman-tables.ts";

const BITS_OF = (table: HuffmanTable, symbol: number): string => {
  const code = listHuffmanCodes(table).find((entry) => entry.symbol === symbol);
  return code === undefined ? "none" : code.value.toString(2).padStart(code.lengthBits, "0");
};

describe("AAC Huffman tables", () => {
  const tables: readonly (readonly [string, HuffmanTable, number])[] = [
    ["scale factors", SCALE_FACTOR_TABLE, 121],
    ...SPECTRAL_TABLES.map((table, i) => {
      const base = (table.signed ? 2 : 1) * table.largestValue + 1;
      return [`spectral ${i + 1}`, table, base ** table.dimension] as const;
    }),
  ];

  it.each(tables)("%s: a complete prefix code over every symbol", (_name, table, symbolCount) => {
    const codes = listHuffmanCodes(table);
    expect(new Set(codes.map((code) => code.symbol)).size).toBe(symbolCount);
    expect(Math.min(...codes.map((code) => code.symbol))).toBe(0);
    expect(Math.max(...codes.map((code) => code.symbol))).toBe(symbolCount - 1);
    expect(codes.reduce((sum, code) => sum + 2 ** -code.lengthBits, 0)).toBe(1);
    // Each codeword, padded to the longest, begins exactly where the one before ends: no codeword begins another.
    const longest = table.codesPerLength.length;
    let next = 0;
    for (const { lengthBits, value } of codes) {
      expect(value * 2 ** (longest - lengthBits)).toBe(next);
      next += 2 ** (longest - lengthBits);
    }
  });

  it("agrees with codewords printed in the standard", () => {
    expect(BITS_OF(SCALE_FACTOR_TABLE, 60)).toBe("0");
    expect(BITS_OF(SCALE_FACTOR_TABLE, 59)).toBe("100");
    expect(BITS_OF(SCALE_FACTOR_TABLE, 0)).toBe((0x3ffe8).toString(2));
    expect(BITS_OF(SPECTRAL_TABLES[0] as HuffmanTable, 40)).toBe("0");
    expect(BITS_OF(SPECTRAL_TABLES[0] as HuffmanTable, 0)).toBe((0x7f8).toString(2));
    expect(BITS_OF(SPECTRAL_TABLES[10] as HuffmanTable, 0)).toBe("0000");
    expect(BITS_OF(SPECTRAL_TABLES[10] as HuffmanTable, 288)).toBe("00100");
  });

  it("numbers symbols with the first coefficient as the most significant digit", () => {
    const [first, , third] = SPECTRAL_TABLES;
    if (first === undefined || third === undefined) throw new Error("The tables are incomplete.");
    expect(spectralValues(first, 0)).toEqual([-1, -1, -1, -1]);
    expect(spectralValues(first, 41)).toEqual([0, 0, 0, 1]);
    expect(spectralValues(third, 27)).toEqual([1, 0, 0, 0]);
  });
});
