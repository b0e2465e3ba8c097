/** Nominal kilobits per second by frmsizecod / 2 (ETSI TS 102 366 Table 4.13). */
const AC3_KBPS = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640] as const;
const RATES_HZ = [48000, 44100, 32000] as const;
const BLOCKS = [1, 2, 3, 6] as const;

/** Bytes of a syncframe that `parseAc3Syncframe` and `parseEac3Syncframe` want to see. */
export const SYNCFRAME_HEADER_BYTES = 7;

/** The start of an AC-3 syncframe, ETSI TS 102 366 §4.3.1–4.3.2. */
export interface Ac3Syncframe {
  /** 0: 48 kHz, 1: 44.1 kHz, 2: 32 kHz. */
  readonly fscod: number;
  readonly frmsizecod: number;
  /** At most 8 for AC-3; 9 and 10 halve and quarter the rate. */
  readonly bsid: number;
  readonly bsmod: number;
  readonly acmod: number;
  readonly isLfeOn: boolean;
  readonly sampleRateHz: number;
  readonly sizeBytes: number;
}

/** The start of an E-AC-3 syncframe, ETSI TS 102 366 Annex E §E.1.2.1–E.1.2.2. */
export interface Eac3Syncframe {
  /** 0 independent, 1 dependent, 2 independent converted from AC-3. */
  readonly strmtyp: number;
  readonly substreamId: number;
  readonly fscod: number;
  /** Audio blocks of 256 samples: 1, 2, 3 or 6. */
  readonly blockCount: number;
  readonly acmod: number;
  readonly isLfeOn: boolean;
  /** 11 to 16. */
  readonly bsid: number;
  readonly sampleRateHz: number;
  readonly sizeBytes: number;
}

/** Whether the sync word 0B 77 stands at `index`. */
export function hasSyncWord(bytes: Uint8Array, index: number): boolean {
  return bytes[index] === 0x0b && bytes[index + 1] === 0x77;
}

/** Reads seven bytes at `index`; undefined where no AC-3 syncframe can start there. */
export function parseAc3Syncframe(bytes: Uint8Array, index: number): Ac3Syncframe | undefined {
  if (!hasSyncWord(bytes, index)) return undefined;
  const sizeByte = at(bytes, index + 4);
  const fscod = sizeByte >>> 6;
  const frmsizecod = sizeByte & 63;
  const kbps = AC3_KBPS[frmsizecod >>> 1];
  const baseRateHz = RATES_HZ[fscod];
  const bsid = at(bytes, index + 5) >>> 3;
  if (kbps === undefined || baseRateHz === undefined || bsid > 10) return undefined;
  const acmod = at(bytes, index + 6) >>> 5;
  return {
    fscod,
    frmsizecod,
    bsid,
    bsmod: at(bytes, index + 5) & 7,
    acmod,
    isLfeOn: isAc3LfeOn(at(bytes, index + 6), acmod),
    sampleRateHz: bsid > 8 ? baseRateHz / 2 ** (bsid - 8) : baseRateHz,
    sizeBytes: ac3SizeBytes(fscod, frmsizecod, kbps),
  };
}

/** Reads seven bytes at `index`; undefined where no E-AC-3 syncframe can start there. */
export function parseEac3Syncframe(bytes: Uint8Array, index: number): Eac3Syncframe | undefined {
  if (!hasSyncWord(bytes, index)) return undefined;
  const first = at(bytes, index + 2);
  const mode = at(bytes, index + 4);
  const strmtyp = first >>> 6;
  const fscod = mode >>> 6;
  const halved = RATES_HZ[(mode >>> 4) & 3];
  const bsid = at(bytes, index + 5) >>> 3;
  if (strmtyp === 3 || bsid < 11 || bsid > 16) return undefined;
  if (fscod === 3 && halved === undefined) return undefined;
  const sizeBytes = 2 * ((((first & 7) << 8) | at(bytes, index + 3)) + 1);
  if (sizeBytes < 8) return undefined;
  return {
    strmtyp,
    substreamId: (first >>> 3) & 7,
    fscod,
    blockCount: fscod === 3 ? 6 : (BLOCKS[(mode >>> 4) & 3] ?? 6),
    acmod: (mode >>> 1) & 7,
    isLfeOn: (mode & 1) === 1,
    bsid,
    sampleRateHz: RATES_HZ[fscod] ?? (halved ?? 0) / 2,
    sizeBytes,
  };
}

/** Table 4.13: words of 16 bits per frame; at 44.1 kHz an odd frmsizecod stands for one word more. */
function ac3SizeBytes(fscod: number, frmsizecod: number, kbps: number): number {
  if (fscod === 0) return kbps * 4;
  if (fscod === 2) return kbps * 6;
  return 2 * (Math.floor((kbps * 320) / 147) + (frmsizecod & 1));
}

/** lfeon follows two-bit fields that depend on acmod (§4.3.2): cmixlev, surmixlev, dsurmod. */
function isAc3LfeOn(modeByte: number, acmod: number): boolean {
  let skipBits = 3;
  if ((acmod & 1) === 1 && acmod !== 1) skipBits += 2;
  if ((acmod & 4) === 4) skipBits += 2;
  if (acmod === 2) skipBits += 2;
  return ((modeByte >>> (7 - skipBits)) & 1) === 1;
}

/**
 * Whether the CRC over a whole syncframe (after the sync word, polynomial 0x8005, §4.10.1) comes out as 0, as it does
 * for an undamaged frame of either kind.
 */
export function isSyncframeCrcRight(bytes: Uint8Array, index: number, sizeBytes: number): boolean {
  let crc = 0;
  for (let i = index + 2; i < index + sizeBytes; i++) {
    crc = (((crc << 8) & 0xffff) ^ (CRC_TABLE[(crc >>> 8) ^ at(bytes, i)] ?? 0)) & 0xffff;
  }
  return crc === 0;
}

const CRC_TABLE: Readonly<Uint16Array> = buildCrcTable();

function buildCrcTable(): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x8005)) & 0xffff;
    return crc;
  });
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
