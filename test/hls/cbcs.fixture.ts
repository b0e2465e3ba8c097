import { createDecipheriv } from "node:crypto";

/** A second, independent reader of fragmented MP4 with one track, encrypted by cbcs or clear. */
export interface ReadSamples {
  /** In the order of the file, decrypted where a key was given. */
  readonly samples: readonly Buffer[];
  /** Of each sample: clear and protected bytes in turn; empty where no `senc` tells. */
  readonly subsamples: readonly (readonly (readonly [number, number])[])[];
  /** The initialization section, and each fragment from its `moof` on. */
  readonly initialization: Buffer;
  readonly fragments: readonly Buffer[];
}

interface Box {
  readonly type: string;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

function boxesIn(bytes: Buffer, from: number, to: number): readonly Box[] {
  const boxes: Box[] = [];
  for (let at = from; at < to; ) {
    const end = at + bytes.readUInt32BE(at);
    boxes.push({ type: bytes.toString("latin1", at + 4, at + 8), start: at, body: at + 8, end });
    at = end;
  }
  return boxes;
}

/** What `tenc` of version 1 tells, wherever it stands. */
function tencOf(bytes: Buffer) {
  const at = bytes.indexOf("tenc") + 4;
  if (bytes[at] !== 1 || bytes[at + 6] !== 1 || bytes[at + 7] !== 0) throw new Error("tenc is not as it should be");
  const pattern = bytes[at + 5] as number;
  return {
    crypt: pattern >> 4,
    skip: pattern & 15,
    vector: bytes.subarray(at + 25, at + 25 + (bytes[at + 24] as number)),
  };
}

/** AES-CBC by single blocks, as its definition goes. */
function decryptRange(range: Buffer, key: Buffer, { crypt, skip, vector }: ReturnType<typeof tencOf>): void {
  let chained = vector;
  for (let block = 0; (block + 1) * 16 <= range.length; block++) {
    if (crypt + skip > 0 && block % (crypt + skip) >= crypt) continue;
    const place = range.subarray(block * 16, (block + 1) * 16);
    const encrypted = Buffer.from(place);
    const plain = createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false).update(encrypted);
    for (let at = 0; at < 16; at++) place[at] = (plain[at] as number) ^ (chained[at] as number);
    chained = encrypted;
  }
}

function subsamplesOf(bytes: Buffer, senc: Box | undefined): [number, number][][] {
  if (senc === undefined) return [];
  let at = senc.body + 8;
  return Array.from({ length: bytes.readUInt32BE(senc.body + 4) }, () => {
    const count = bytes.readUInt16BE(at);
    at += 2;
    return Array.from({ length: count }, (): [number, number] => {
      at += 6;
      return [bytes.readUInt16BE(at - 6), bytes.readUInt32BE(at - 4)];
    });
  });
}

/** Sizes of a run's samples: in the run, or one for all in `tfhd` behind track ID and, where it stands, duration. */
function sizesOf(bytes: Buffer, tfhd: Box, trun: Box): { readonly offset: number; readonly sizes: readonly number[] } {
  const flags = bytes.readUIntBE(trun.body + 1, 3);
  const count = bytes.readUInt32BE(trun.body + 4);
  const first = trun.body + 12 + (flags & 4 ? 4 : 0);
  const row = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
  const common = tfhd.body + 8 + (bytes.readUIntBE(tfhd.body + 1, 3) & 8 ? 4 : 0);
  const sizeAt = (index: number): number => (flags & 0x200 ? first + index * row + (flags & 0x100 ? 4 : 0) : common);
  return {
    offset: bytes.readInt32BE(trun.body + 8),
    sizes: Array.from({ length: count }, (_, index) => bytes.readUInt32BE(sizeAt(index))),
  };
}

/** Reads all samples of a file, or of an initialization section with segments behind it. */
export function readSamples(bytes: Buffer, key?: Buffer): ReadSamples {
  const samples: Buffer[] = [];
  const subsamples: [number, number][][] = [];
  const top = boxesIn(bytes, 0, bytes.length);
  const moofs = top.filter(({ type }) => type === "moof");
  for (const moof of moofs) {
    const traf = boxesIn(bytes, moof.body, moof.end).find(({ type }) => type === "traf") as Box;
    const children = boxesIn(bytes, traf.body, traf.end);
    const child = (type: string): Box => children.find((box) => box.type === type) as Box;
    const told = subsamplesOf(bytes, child("senc"));
    const { offset, sizes } = sizesOf(bytes, child("tfhd"), child("trun"));
    let at = moof.start + offset;
    for (const [index, size] of sizes.entries()) {
      const sample = Buffer.from(bytes.subarray(at, at + size));
      at += size;
      if (key !== undefined) {
        let place = 0;
        for (const [clear, encrypted] of told[index] ?? [[0, size]]) {
          decryptRange(sample.subarray(place + clear, place + clear + encrypted), key, tencOf(bytes));
          place += clear + encrypted;
        }
      }
      samples.push(sample);
    }
    subsamples.push(...told);
  }
  const starts = moofs.map(({ start }) => start);
  return {
    samples,
    subsamples,
    initialization: bytes.subarray(0, starts[0]),
    fragments: starts.map((start, index) => bytes.subarray(start, starts[index + 1])),
  };
}
