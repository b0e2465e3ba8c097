import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemorySource } from "../bytes/byte-source.ts";
import { ByteWindow } from "../bytes/byte-window.ts";
import { AvcParameterSets } from "./parameter-sets.ts";
import { createAvcPocDecoder } from "./poc.ts";
import { probeAvcSample } from "./sample-probe.ts";
import { probeAvcStart } from "./start-probe.ts";

/** Writes bit fields; the NAL units here are short enough to need no emulation prevention, which `nal` makes sure of. */
class BitWriter {
  readonly #bits: number[] = [];

  u(count: number, value: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.#bits.push(Math.floor(value / 2 ** bit) % 2);
    return this;
  }

  ue(...values: readonly number[]): this {
    for (const value of values) {
      const length = Math.floor(Math.log2(value + 1));
      this.u(length, 0).u(length + 1, value + 1);
    }
    return this;
  }

  nal(header: number, payload: readonly number[] = []): Uint8Array {
    this.#bits.push(1);
    while (this.#bits.length % 8 !== 0) this.#bits.push(0);
    const bytes = [header];
    for (let at = 0; at < this.#bits.length; at += 8) {
      bytes.push(this.#bits.slice(at, at + 8).reduce((value, bit) => value * 2 + bit, 0));
    }
    bytes.push(...payload);
    if (/(?:^|,)0,0,[0-3](?:,|$)/.test(bytes.join(","))) throw new Error("This test needs emulation prevention.");
    return Uint8Array.from(bytes);
  }
}

type PocType = 0 | 1 | 2;

/** Main profile, 64×64, fields allowed, 8-bit frame_num and POC, CAVLC. */
function fieldSets(pocType: PocType, profileIdc = 77): AvcParameterSets {
  const sps = new BitWriter().u(8, profileIdc).u(8, 0).u(8, 30).ue(0, 4, pocType);
  if (pocType === 0) sps.ue(4);
  // Differences may be coded; non-reference −2 (se 4 is code 4 → −2), field distance 1, a cycle of one frame: 4.
  if (pocType === 1) sps.u(1, 0).ue(4, 1, 1, 7);
  sps.ue(2).u(1, 0).ue(3, 1).u(1, 0).u(1, 0).u(1, 1).u(1, 0).u(1, 0);
  const pps = new BitWriter().ue(0, 0).u(1, 0).u(1, 0).ue(0, 0, 0).u(1, 0).u(2, 0).ue(0, 0, 0).u(1, 0).u(1, 0).u(1, 0);
  return new AvcParameterSets({ lengthSizeBytes: 4, spsNals: [sps.nal(0x67)], ppsNals: [pps.nal(0x68)] });
}

interface FieldSlice {
  readonly frameNum: number;
  readonly pocLsb?: number;
  readonly isBottom?: boolean;
  /** A frame instead of a field. */
  readonly isFrame?: boolean;
  readonly isIdr?: boolean;
  readonly isReference?: boolean;
  readonly firstMb?: number;
  readonly pocType?: PocType;
  readonly hasMmco5?: boolean;
}

/** An I slice with some payload behind its header. */
function slice(options: FieldSlice): Uint8Array {
  const { frameNum, isIdr = false, isReference = true, pocType = 0 } = options;
  const writer = new BitWriter().ue(options.firstMb ?? 0, 7, 0).u(8, frameNum);
  if (options.isFrame === true) writer.u(1, 0);
  else writer.u(1, 1).u(1, options.isBottom === true ? 1 : 0);
  if (isIdr) writer.ue(3);
  if (pocType === 0) writer.u(8, options.pocLsb ?? 0);
  if (pocType === 1) writer.ue(0);
  if (isReference && isIdr) writer.u(2, 0);
  else if (isReference && options.hasMmco5 === true) writer.u(1, 1).ue(5, 0);
  else if (isReference) writer.u(1, 0);
  writer.ue(0);
  return writer.nal((isReference ? 0x60 : 0) | (isIdr ? 5 : 1), [0xab, 0xcd, 0xef, 0x91, 0x80]);
}

const DELIMITER = Uint8Array.of(0x09, 0xf0);
const SEI = Uint8Array.of(0x06, 0x06, 0x01, 0xc4, 0x80);
const FILLER = Uint8Array.of(0x0c, 0xff, 0xff, 0xff, 0x80);

function sample(...nals: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(nals.flatMap((nal) => [0, 0, nal.length >> 8, nal.length & 0xff, ...nal]));
}

function probe(sets: AvcParameterSets, ...parts: readonly Uint8Array[]) {
  const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
  return probeAvcSample(new ByteWindow(createMemorySource(bytes)), 0, sets);
}

const AUDIO = Uint8Array.from({ length: 64 }, (_, index) => (index * 73 + 33) & 0xff);

describe("field pairs", () => {
  const sets = fieldSets(0);
  const top = slice({ frameNum: 5, pocLsb: 20 });
  const bottom = slice({ frameNum: 5, pocLsb: 21, isBottom: true });
  const nextTop = slice({ frameNum: 6, pocLsb: 24 });

  it("takes both fields for one sample, with delimiters and SEI between them", () => {
    for (const pair of [sample(top, bottom), sample(DELIMITER, SEI, top, DELIMITER, SEI, bottom, FILLER)]) {
      for (const follower of [AUDIO, sample(DELIMITER, nextTop), sample(SEI, nextTop), sample(nextTop)]) {
        expect(probe(sets, pair, follower)).toMatchObject({ kind: "sample", sizeBytes: pair.length, isComplete: true });
      }
    }
  });

  it("takes a field in several slices", () => {
    const lower = (field: FieldSlice) => slice({ ...field, firstMb: 4 });
    const pair = sample(
      top,
      lower({ frameNum: 5, pocLsb: 20 }),
      bottom,
      lower({ frameNum: 5, pocLsb: 21, isBottom: true }),
    );
    expect(probe(sets, pair, sample(nextTop))).toMatchObject({ sizeBytes: pair.length, nalCount: 4 });
  });

  it("says that a single field is incomplete", () => {
    const single = sample(top);
    expect(probe(sets, single, sample(nextTop))).toMatchObject({ sizeBytes: single.length, isComplete: false });
    expect(probe(sets, single, AUDIO)).toMatchObject({ sizeBytes: single.length, isComplete: false });
  });

  it("keeps a recovery point SEI with the picture that it stands before", () => {
    const frame = sample(slice({ frameNum: 1, pocLsb: 2, isFrame: true, isReference: false }));
    const next = sample(SEI, slice({ frameNum: 2, pocLsb: 4, isFrame: true }));
    expect(probe(sets, frame, next)).toMatchObject({ sizeBytes: frame.length, isRecoveryPoint: false });
    expect(probe(sets, next, AUDIO)).toMatchObject({ sizeBytes: next.length, recoveryFrameCount: 0 });
  });

  it("keeps an SEI that trails the picture, where no picture follows", () => {
    const frame = sample(slice({ frameNum: 1, pocLsb: 2, isFrame: true }), SEI);
    expect(probe(sets, frame, AUDIO)).toMatchObject({ kind: "sample", sizeBytes: frame.length });
  });

  it("says how far a cut sample reaches", () => {
    const pair = sample(top, bottom);
    expect(probe(sets, pair.subarray(0, pair.length - 3))).toMatchObject({
      kind: "cut",
      neededEndOffset: pair.length,
    });
  });

  it("takes slices in any order in the Baseline profile, each once", () => {
    const baseline = fieldSets(0, 66);
    const at = (firstMb: number) => slice({ frameNum: 1, pocLsb: 2, isFrame: true, firstMb });
    const shuffled = sample(at(8), at(0), at(4));
    expect(probe(baseline, shuffled, sample(at(8)))).toMatchObject({ sizeBytes: shuffled.length });
    expect(probe(sets, shuffled, AUDIO)).toEqual({ kind: "no" });
  });
});

describe("picture order", () => {
  function orders(pocType: PocType, pictures: readonly FieldSlice[]): number[] {
    const sets = fieldSets(pocType);
    const decoder = createAvcPocDecoder();
    return pictures.map((picture) => {
      const found = probe(sets, sample(slice({ ...picture, pocType, isFrame: true })), AUDIO);
      if (found.kind !== "sample") throw new Error(`No sample: ${found.kind}.`);
      return decoder.next(found.picture).poc;
    });
  }

  it("unwraps the low bits over their modulus, both ways (type 0)", () => {
    const lsb = [0, 200, 100, 44, 250];
    const references = [true, true, false, true, false];
    const pictures = lsb.map((pocLsb, index) => ({
      frameNum: index,
      pocLsb,
      isIdr: index === 0,
      isReference: references[index] === true,
    }));
    // 200 is nearer as −56, 100 goes on below it, 44 is nearer above, and 250 is nearer as −6.
    expect(orders(0, pictures)).toEqual([0, -56, -156, 44, -6]);
  });

  it("starts a sequence at memory management operation 5", () => {
    const pictures = [
      { frameNum: 0, pocLsb: 0, isIdr: true },
      { frameNum: 1, pocLsb: 90, hasMmco5: true },
      { frameNum: 1, pocLsb: 4 },
    ];
    expect(orders(0, pictures)).toEqual([0, 0, 4]);
  });

  it("follows the expected cycle (type 1)", () => {
    const pictures = [
      { frameNum: 0, isIdr: true },
      { frameNum: 1 },
      { frameNum: 2, isReference: false },
      { frameNum: 2 },
    ];
    expect(orders(1, pictures)).toEqual([0, 4, 2, 8]);
  });

  it("equals decode order (type 2), over the modulus of frame_num", () => {
    const pictures = [
      { frameNum: 0, isIdr: true },
      { frameNum: 255 },
      { frameNum: 0, isReference: false },
      { frameNum: 0 },
    ];
    expect(orders(2, pictures)).toEqual([0, 510, 511, 512]);
  });
});

describe("hostile bytes", () => {
  const sets = fieldSets(0);
  const whole = sample(
    DELIMITER,
    SEI,
    slice({ frameNum: 5, pocLsb: 20 }),
    slice({ frameNum: 5, pocLsb: 21, isBottom: true }),
  );

  it("never throw, and never give a sample beyond the data", () => {
    const change = fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat(whole.length), (changes, length) => {
        const bytes = whole.slice(0, length);
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        const found = probe(sets, bytes);
        if (found.kind === "sample") expect(found.sizeBytes).toBeLessThanOrEqual(bytes.length);
        expect(probeAvcStart(bytes, 0, bytes.length, sets)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  it("are no samples when random", () => {
    let seed = 1;
    const noise = Uint8Array.from({ length: 200_000 }, () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed >>> 24;
    });
    const window = new ByteWindow(createMemorySource(noise));
    const taken: number[] = [];
    for (let at = 0; at < noise.length; at++) {
      const found = probeAvcSample(window, at, sets);
      if (found.kind === "sample" && found.evidenceBits >= 24) taken.push(at);
      if (probeAvcStart(noise, at, noise.length, sets) >= 24) taken.push(at);
    }
    expect(taken).toEqual([]);
  });

  it("leave the sets in force when a damaged set comes", () => {
    const copy = fieldSets(0);
    const before = copy.sps(0);
    expect(copy.update([Uint8Array.of(0x67, 77, 0, 30, 0xff), Uint8Array.of(), Uint8Array.of(0x68)])).toBe(0);
    expect(copy.sps(0)).toBe(before);
    expect(copy.pps(0)).toBeDefined();
  });
});
