import { createCipheriv, createDecipheriv } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { serializeSaiz } from "../isobmff/saiz.ts";
import { type Subsample, sampleInformationBytes } from "../isobmff/senc.ts";
import { escapedLength, unescapeNal } from "../nal/unescape.ts";
import { cryptSample } from "./block-pattern.ts";
import { SubsampleList } from "./subsample-list.ts";

const KEY = Buffer.from("000102030405060708090a0b0c0d0eff", "hex");
const VECTOR = Buffer.from("f0e0d0c0b0a090807060504030201000", "hex");
const encrypt = (blocks: Uint8Array) => createCipheriv("aes-128-cbc", KEY, VECTOR).setAutoPadding(false).update(blocks);
const decrypt = (blocks: Uint8Array) =>
  createDecipheriv("aes-128-cbc", KEY, VECTOR).setAutoPadding(false).update(blocks);

const pattern = fc.record({ cryptBlocks: fc.integer({ min: 1, max: 15 }), skipBlocks: fc.nat(15) });
const layout = fc.array(fc.record({ clearBytes: fc.nat(300), protectedBytes: fc.nat(700) }), { maxLength: 5 });

/** What a byte at `at` of a protected range is, as §9.6 tells it: encrypted in the first blocks of each period, whole ones alone. */
function isEncrypted(at: number, rangeBytes: number, cryptBlocks: number, skipBlocks: number): boolean {
  const block = Math.floor(at / 16);
  return (block + 1) * 16 <= rangeBytes && block % (cryptBlocks + skipBlocks) < cryptBlocks;
}

function places(subsamples: readonly Subsample[], cryptBlocks: number, skipBlocks: number): boolean[] {
  return subsamples.flatMap(({ clearBytes, protectedBytes }) => [
    ...new Array<boolean>(clearBytes).fill(false),
    ...Array.from({ length: protectedBytes }, (_, at) => isEncrypted(at, protectedBytes, cryptBlocks, skipBlocks)),
  ]);
}

describe("pattern encryption", () => {
  it("changes the blocks of the pattern alone, and decrypts to what was there", () => {
    fc.assert(
      fc.property(layout, pattern, fc.nat(255), (subsamples, { cryptBlocks, skipBlocks }, seed) => {
        const told = places(subsamples, cryptBlocks, skipBlocks);
        const clear = Uint8Array.from(told, (_, at) => (at * 31 + seed) & 255);
        const sample = clear.slice();
        cryptSample(sample, subsamples, { cryptBlocks, skipBlocks }, encrypt);
        for (const [at, is] of told.entries()) if (!is) expect(sample[at]).toBe(clear[at]);
        if (told.includes(true)) expect(sample).not.toEqual(clear);
        cryptSample(sample, subsamples, { cryptBlocks, skipBlocks }, decrypt);
        expect(sample).toEqual(clear);
      }),
    );
  });

  it("chains the encrypted blocks of a range to each other, and begins anew with each range", () => {
    const sample = new Uint8Array(3 + 2 * 192);
    const ranges = [
      { clearBytes: 3, protectedBytes: 192 },
      { clearBytes: 0, protectedBytes: 192 },
    ];
    cryptSample(sample, ranges, { cryptBlocks: 1, skipBlocks: 9 }, encrypt);
    const two = encrypt(new Uint8Array(32));
    for (const start of [3, 195]) {
      expect(Buffer.from(sample.subarray(start, start + 16))).toEqual(two.subarray(0, 16));
      expect(Buffer.from(sample.subarray(start + 160, start + 176))).toEqual(two.subarray(16));
      expect(sample.subarray(start + 16, start + 160).every((byte) => byte === 0)).toBe(true);
    }
  });

  it("takes all whole blocks of a sample where there is no pattern and no subsample", () => {
    const sample = new Uint8Array(50);
    cryptSample(sample, undefined, { cryptBlocks: 0, skipBlocks: 0 }, encrypt);
    expect(Buffer.from(sample)).toEqual(Buffer.concat([encrypt(new Uint8Array(48)), Buffer.alloc(2)]));
  });

  it("refuses subsamples that do not add up to the sample", () => {
    const ranges = [{ clearBytes: 1, protectedBytes: 16 }];
    const crypt = () => cryptSample(new Uint8Array(18), ranges, { cryptBlocks: 1, skipBlocks: 9 }, encrypt);
    expect(crypt).toThrow(expect.objectContaining({ code: "MEDIA_MALFORMED" }));
  });
});

describe("a list of subsamples", () => {
  it("has every byte that was told, in numbers that their fields hold", () => {
    const stretch = fc.tuple(fc.boolean(), fc.oneof(fc.nat(40), fc.nat(200_000)));
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 9 }), (stretches) => {
        const list = new SubsampleList();
        for (const [isProtected, bytes] of stretches) isProtected ? list.protect(bytes) : list.clear(bytes);
        const found = list.finish();
        const sum = found.reduce((total, { clearBytes, protectedBytes }) => total + clearBytes + protectedBytes, 0);
        expect(sum).toBe(stretches.reduce((total, [, bytes]) => total + bytes, 0));
        const isProtected = stretches.filter(([is, bytes]) => is && bytes >= 16).map(([, bytes]) => bytes);
        expect(found.map((one) => one.protectedBytes).filter((bytes) => bytes > 0)).toEqual(isProtected);
        expect(found.every(({ clearBytes }) => clearBytes <= 0xffff)).toBe(true);
      }),
    );
  });
});

describe("a sample of many parts", () => {
  const layOut = (parts: number) => {
    const list = new SubsampleList();
    for (let part = 0; part < parts; part++) {
      list.clear(5);
      list.protect(16);
    }
    return list.finish();
  };

  it("is told of as far as a file can, and refused beyond, before anything is encrypted", () => {
    const many = layOut(42);
    expect(serializeSaiz([sampleInformationBytes(many)])).toHaveLength(18);
    expect(() => layOut(43)).toThrow(
      expect.objectContaining({ code: "SUBSAMPLES_TOO_MANY", message: expect.stringMatching(/43 parts.* of 42/) }),
    );
  });
});

describe("the length of an escaped payload", () => {
  it("is that of the bytes which unescape to it", () => {
    const bytes = fc.array(fc.constantFrom(0, 0, 0, 3, 3, 1, 200), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, fc.nat(60), (values, wanted) => {
        const nal = Uint8Array.from([0x65, ...values]);
        const payload = unescapeNal(nal, 1);
        const length = escapedLength(nal, 1, Math.min(wanted, payload.length));
        const head = unescapeNal(nal.subarray(0, 1 + length), 1);
        expect(head).toEqual(payload.subarray(0, Math.min(wanted, payload.length)));
      }),
    );
  });
});
