import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applicableDamages, type Damage, planDamage, writeDamaged } from "./damage.ts";
import { readLayout } from "./layout.ts";

function box(type: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(payload.length + 8, 0);
  header.write(type, 4, "latin1");
  return Buffer.concat([header, payload]);
}

const PAYLOAD_BYTES = 2_000_000;
const payload = Buffer.from(Uint8Array.from({ length: PAYLOAD_BYTES }, (_, index) => 1 + (index % 251)));
const ftyp = box("ftyp", Buffer.from("isom\0\0\0\0isom"));
const moov = box("moov", Buffer.alloc(100, 7));

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bench-damage-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function damaged(parts: readonly Buffer[], damage: Damage) {
  const original = join(folder, "original");
  const bad = join(folder, "bad");
  writeFileSync(original, Buffer.concat(parts));
  const plan = planDamage(readLayout(original), damage);
  const sizeBytes = writeDamaged(original, plan, bad);
  const bytes = readFileSync(bad);
  expect(bytes.length).toBe(sizeBytes);
  return { bytes, lost: plan.lost };
}

describe("damage to a file with its index at the end", () => {
  const parts = [ftyp, box("mdat", payload), moov];
  const payloadOffset = ftyp.length + 8;

  it("cuts the payload and leaves an open mdat header", () => {
    const { bytes, lost } = damaged(parts, "T30");
    expect(bytes.length).toBe(payloadOffset + PAYLOAD_BYTES * 0.3);
    expect(bytes.readUInt32BE(ftyp.length)).toBe(0);
    expect(bytes.subarray(payloadOffset).equals(payload.subarray(0, PAYLOAD_BYTES * 0.3))).toBe(true);
    expect(lost).toEqual([{ startOffset: payloadOffset + PAYLOAD_BYTES * 0.3, endOffset: Number.POSITIVE_INFINITY }]);
  });

  it("punches 64 KiB of zeros into the middle", () => {
    const { bytes, lost } = damaged(parts, "HOLE");
    const start = payloadOffset + PAYLOAD_BYTES / 2;
    expect(lost[0]).toEqual({ startOffset: start, endOffset: start + 65536 });
    expect(bytes[start - 1]).not.toBe(0);
    expect(bytes.subarray(start, start + 65536).every((byte) => byte === 0)).toBe(true);
    expect(bytes[start + 65536]).not.toBe(0);
    expect(bytes.length).toBe(payloadOffset + PAYLOAD_BYTES);
  });

  it("makes two holes, noise in place of zeros, a zero tail and lying headers", () => {
    expect(damaged(parts, "TWOHOLES").lost).toHaveLength(3);
    const noise = damaged(parts, "RANDHOLE");
    const start = noise.lost[0]?.startOffset ?? 0;
    expect(new Set(noise.bytes.subarray(start, start + 65536)).size).toBe(256);
    const tail = damaged(parts, "ZEROTAIL").bytes;
    expect(tail.length).toBe(payloadOffset + PAYLOAD_BYTES + 1024 * 1024);
    expect(damaged(parts, "STALE").bytes.readUInt32BE(ftyp.length)).toBe(8 + PAYLOAD_BYTES / 2);
    expect(damaged(parts, "STALE8").bytes.readUInt32BE(ftyp.length)).toBe(8);
    const large = damaged(parts, "LARGE1").bytes;
    expect(large.readUInt32BE(ftyp.length)).toBe(1);
    expect(large.readBigUInt64BE(ftyp.length + 8)).toBe(0n);
    expect(large.subarray(ftyp.length + 16).equals(payload)).toBe(true);
  });

  it("zeroes the index where it stands", () => {
    const { bytes, lost } = damaged(parts, "ZEROMOOV");
    expect(lost).toEqual([]);
    expect(bytes.subarray(payloadOffset + PAYLOAD_BYTES).every((byte) => byte === 0)).toBe(true);
    expect(bytes.length).toBe(payloadOffset + PAYLOAD_BYTES + moov.length);
  });
});

describe("damage to other files", () => {
  it("keeps an index in front when it cuts the tail", () => {
    const parts = [ftyp, moov, box("mdat", payload)];
    const { bytes } = damaged(parts, "F60");
    expect(bytes.length).toBe(ftyp.length + moov.length + 8 + PAYLOAD_BYTES * 0.6);
    expect(bytes.subarray(ftyp.length, ftyp.length + moov.length).equals(moov)).toBe(true);
    expect(damaged(parts, "T100").bytes.length).toBe(ftyp.length + 8 + PAYLOAD_BYTES);
  });

  it("cuts fragments from the first moof on", () => {
    const moof = box("moof", Buffer.alloc(92, 3));
    const parts = [ftyp, moov, moof, box("mdat", payload)];
    const head = ftyp.length + moov.length;
    const { bytes } = damaged(parts, "T60");
    expect(bytes.length).toBe(head + Math.floor((moof.length + 8 + PAYLOAD_BYTES) * 0.6));
    const original = join(folder, "original");
    expect(applicableDamages(readLayout(original))).toContain("INITLOST");
    expect(() => planDamage(readLayout(original), "STALE")).toThrow("does not apply");
  });

  it("cuts an AVI's movi list and zeroes the sizes that a recorder fills in last", () => {
    const list = Buffer.concat([Buffer.from("LIST"), Buffer.alloc(4), Buffer.from("movi"), payload]);
    list.writeUInt32LE(payload.length + 4, 4);
    const riff = Buffer.concat([Buffer.from("RIFF\x10\0\0\0AVI "), list, Buffer.from("idx1")]);
    const { bytes } = damaged([riff], "T30");
    expect(bytes.readUInt32LE(4)).toBe(0);
    expect(bytes.readUInt32LE(16)).toBe(0);
    expect(bytes.length).toBe(24 + PAYLOAD_BYTES * 0.3);
  });
});
