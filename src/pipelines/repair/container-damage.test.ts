import { describe, expect, it } from "vitest";
import { type ByteSource, createMemorySource } from "../../media/bytes/byte-source.ts";
import { findContainerDamage, isCutOff } from "./container-damage.ts";
import type { RemuxedContainer } from "./remuxed-container.ts";

const look = (container: RemuxedContainer, ...parts: (readonly number[])[]): readonly string[] =>
  findContainerDamage(createMemorySource(Uint8Array.from(parts.flat())), container).map(({ text }) => text);

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));
const EBML = [0x1a, 0x45, 0xdf, 0xa3, 0x81, 0];
const SEGMENT = [0x18, 0x53, 0x80, 0x67];
const CLUSTER = [0x1f, 0x43, 0xb6, 0x75];
const OPEN = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

describe("findContainerDamage", () => {
  it("holds a Matroska segment and its clusters against the length", () => {
    expect(look("matroska", EBML, SEGMENT, [0x87], CLUSTER, [0x82, 1, 2])).toEqual([]);
    expect(look("matroska", EBML, SEGMENT, [0x87], CLUSTER, [0x82, 1])).toEqual([
      "it was cut off: its segment at byte 6 claims 12 bytes, 11 are there",
    ]);
    expect(look("matroska", EBML, SEGMENT, OPEN, CLUSTER, [0x82, 1, 2])).toEqual([
      "it was never finished: its segment has no size",
    ]);
    expect(look("matroska", EBML, SEGMENT, OPEN, CLUSTER, [0x84, 1, 2])).toEqual([
      "it was cut off: the cluster at byte 18 claims 9 bytes, 7 are there",
    ]);
    expect(look("matroska", EBML)).toEqual(["behind its header there is no segment"]);
  });

  it("holds every RIFF list of an AVI file against the length", () => {
    const list = (size: number, ...bytes: number[]): number[] => [...ascii("RIFF"), size, 0, 0, 0, ...bytes];
    expect(look("avi", list(4, ...ascii("AVI ")), list(4, ...ascii("AVIX")))).toEqual([]);
    expect(look("avi", list(4, ...ascii("AVI ")), list(9, ...ascii("AVIX")))).toEqual([
      "it was cut off: its RIFF list at byte 12 claims 17 bytes, 12 are there",
    ]);
    expect(look("avi", list(0, ...ascii("AVI ")))).toEqual(["it was never finished: its RIFF list has no size"]);
  });

  it("sees a transport stream that ends inside a packet", () => {
    const packet = [0x47, ...new Array<number>(187).fill(0)];
    expect(look("mpegts", packet, packet, packet, packet)).toEqual([]);
    expect(look("mpegts", packet, packet, packet, packet, [0x47, 0])).toEqual([
      "it was cut off: it ends 2 bytes into a packet of 188",
    ]);
    expect(look("mpegts", packet, packet, packet, packet, [0x47])).toEqual([
      "it was cut off: it ends 1 byte into a packet of 188",
    ]);
  });

  it("ends on bytes of every kind", () => {
    for (let length = 0; length < 40; length++) {
      for (const byte of [0, 1, 0x47, 0xff]) {
        const bytes = new Array<number>(length).fill(byte);
        for (const container of ["matroska", "avi", "mpegts"] as const) look(container, EBML, SEGMENT, OPEN, bytes);
      }
    }
  });
});

/** A file of so many bytes that begins with these, and has zeros behind. */
function sparse(
  sizeBytes: number,
  ...stretches: readonly (readonly [offset: number, bytes: readonly number[]])[]
): ByteSource {
  return {
    sizeBytes,
    read: (offset, target) => {
      target.fill(0);
      for (const [from, bytes] of stretches) {
        for (const [index, byte] of bytes.entries()) {
          const to = from + index - offset;
          if (to >= 0 && to < target.length) target[to] = byte;
        }
      }
      return Math.max(0, Math.min(target.length, sizeBytes - offset));
    },
  };
}

const le32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => Math.floor(value / 2 ** shift) & 0xff);
const chunk = (id: string, size: number, type: string): number[] => [...ascii(id), ...le32(size), ...ascii(type)];
const HDRL = chunk("LIST", 4, "hdrl");

describe("isCutOff", () => {
  const GIB = 2 ** 30;
  const first = [...chunk("RIFF", GIB, "AVI "), ...HDRL, ...chunk("LIST", GIB - 16, "movi")];
  const second = [...chunk("RIFF", GIB, "AVIX"), ...chunk("LIST", GIB - 4, "movi")];
  const secondAt = GIB + 8;

  it("follows the RIFF lists of an AVI file beyond a gigabyte", () => {
    const whole = 2 * (GIB + 8);
    expect(isCutOff(sparse(whole, [0, first], [secondAt, second]))).toBe(false);
    expect(isCutOff(sparse(whole + 777, [0, first], [secondAt, second]))).toBe(false);
    expect(isCutOff(sparse(whole - 1000, [0, first], [secondAt, second]))).toBe(true);
    expect(isCutOff(sparse(GIB - 1000, [0, first]))).toBe(true);
  });

  it("says nothing of AVI beyond 4 GiB whose sizes began anew, nor of sizes that were never written or are off by a head", () => {
    const wrapped = (missing: number): number[] => [
      ...chunk("RIFF", missing, "AVI "),
      ...HDRL,
      ...chunk("LIST", missing - 16, "movi"),
    ];
    expect(isCutOff(sparse(5 * GIB, [0, wrapped(GIB)]))).toBe(false);
    for (const open of [0, 0xffffffff]) {
      const head = [...chunk("RIFF", open, "AVI "), ...HDRL, ...chunk("LIST", open, "movi")];
      expect(isCutOff(sparse(100_000, [0, head]))).toBe(false);
    }
    expect(isCutOff(sparse(GIB, [0, wrapped(GIB)]))).toBe(false);
  });

  it("says nothing of a segment of unknown size, one that is off by a head, and other files", () => {
    const source = (...parts: (readonly number[])[]): ByteSource => createMemorySource(Uint8Array.from(parts.flat()));
    expect(isCutOff(source(EBML, SEGMENT, OPEN, CLUSTER, [0x82, 1, 2]))).toBe(false);
    expect(isCutOff(source(EBML, SEGMENT, OPEN, CLUSTER, OPEN, [1, 2]))).toBe(false);
    expect(isCutOff(source(EBML, SEGMENT, [0x87 + 12], CLUSTER, [0x82, 1, 2]))).toBe(false);
    expect(isCutOff(source(EBML, SEGMENT, [0x87 + 40], CLUSTER, [0x82, 1, 2]))).toBe(true);
    expect(isCutOff(source(ascii("RIFF"), le32(4000), ascii("WAVEfmt ")))).toBe(false);
    expect(isCutOff(source([0x1a]))).toBe(false);
  });
});
