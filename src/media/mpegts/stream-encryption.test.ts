import { createCipheriv, createDecipheriv } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isIntactNal } from "../nal/annex-b.ts";
import { escapeNal, unescapeNal } from "../nal/unescape.ts";
import { audioSetupInformation, cryptAacFrame, openSealedNal, sealNal } from "./stream-encryption.ts";

const KEY = Buffer.from("000102030405060708090a0b0c0d0eff", "hex");
const VECTOR = Buffer.from("f0e0d0c0b0a090807060504030201000", "hex");
const encrypt = (blocks: Uint8Array) => createCipheriv("aes-128-cbc", KEY, VECTOR).setAutoPadding(false).update(blocks);
const decrypt = (blocks: Uint8Array) =>
  createDecipheriv("aes-128-cbc", KEY, VECTOR).setAutoPadding(false).update(blocks);
const bytes = fc.array(fc.oneof(fc.constantFrom(0, 0, 1, 3), fc.nat(255)), { maxLength: 700 });

/** Where the format has blocks encrypted: behind 32 bytes one of ten, as long as more than 16 bytes are left. */
function encryptedPlaces(length: number): readonly number[] {
  const places: number[] = [];
  for (let at = 32; length - at > 16; at += 160) places.push(at);
  return places;
}

describe("a sealed NAL unit", () => {
  it("is a NAL unit without start codes, opens to what it was, and is changed where the format says", () => {
    fc.assert(
      fc.property(fc.constantFrom(0x65, 0x41), bytes, (header, payload) => {
        const nal = escapeNal(Uint8Array.from([header, ...payload, 0x80]));
        const sealed = sealNal(nal, encrypt);
        expect(openSealedNal(sealed, decrypt)).toEqual(nal);
        expect(isIntactNal(sealed)).toBe(true);
        if (nal.length <= 48) expect(sealed).toEqual(nal);
        else {
          const inner = unescapeNal(sealed, 0);
          const places = encryptedPlaces(nal.length);
          const isPlace = (at: number) => places.some((place) => at >= place && at < place + 16);
          expect([...inner].filter((_, at) => !isPlace(at))).toEqual([...nal].filter((_, at) => !isPlace(at)));
          const blocks = Uint8Array.from(places.flatMap((place) => [...nal.subarray(place, place + 16)]));
          const sealedBlocks = Uint8Array.from(places.flatMap((place) => [...inner.subarray(place, place + 16)]));
          expect(Buffer.from(sealedBlocks)).toEqual(encrypt(blocks));
        }
      }),
    );
  });

  it("is none where it is no slice", () => {
    const sps = Uint8Array.from([0x67, ...new Array<number>(200).fill(7)]);
    expect(sealNal(sps, encrypt)).toBe(sps);
    expect(openSealedNal(sps, decrypt)).toBe(sps);
  });
});

describe("an encrypted AAC frame", () => {
  it("has 16 clear bytes, then whole blocks, then what is left", () => {
    fc.assert(
      fc.property(bytes, (values) => {
        const frame = Uint8Array.from(values);
        const crypted = frame.slice();
        cryptAacFrame(crypted, encrypt);
        const end = Math.max(16, 16 + 16 * Math.floor((frame.length - 16) / 16));
        expect(crypted.subarray(0, 16)).toEqual(frame.subarray(0, 16));
        expect(Buffer.from(crypted.subarray(16, end))).toEqual(encrypt(frame.subarray(16, end)));
        expect(crypted.subarray(end)).toEqual(frame.subarray(end));
        cryptAacFrame(crypted, decrypt);
        expect(crypted).toEqual(frame);
      }),
    );
  });

  it("is described by type, priming, version and configuration", () => {
    const information = audioSetupInformation(Uint8Array.of(0x11, 0x90));
    expect(Buffer.from(information).toString("hex")).toBe("7a616163" + "0000" + "01" + "02" + "1190");
  });
});
