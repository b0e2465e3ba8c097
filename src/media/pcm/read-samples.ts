import type { PcmLayout } from "./pcm-layout.ts";

/** Samples as integers, with the bits that this form of them leaves out. */
export interface IntegerSamples {
  /** Channels interleaved as in the bytes. */
  readonly values: Float64Array;
  /** Bits per sample lost in the form: each must be paid for by a code that is to be honest. */
  readonly lostBits: Float64Array;
}

/** Float samples are counted in steps of full scale / 2^23. */
const FLOAT_STEP_BITS = 23;
/** Louder than 8 × full scale is taken for no sample at all. */
const MAX_FLOAT = 8;

/** Reads the whole frames in `[startIndex, endIndex)`; at most `maxFrames` of them. */
export function readSamples(
  bytes: Uint8Array,
  startIndex: number,
  endIndex: number,
  layout: PcmLayout,
  maxFrames: number,
): IntegerSamples {
  const frames = Math.min(maxFrames, Math.floor((endIndex - startIndex) / layout.bytesPerFrame));
  const count = Math.max(0, frames) * layout.channelCount;
  const values = new Float64Array(count);
  const lostBits = new Float64Array(count);
  const widthBytes = layout.bitsPerSample / 8;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < count; i++) {
    const at = startIndex + i * widthBytes;
    if (layout.isFloat) readFloat(view, at, layout, values, lostBits, i);
    else if (layout.companding !== undefined) values[i] = expandOrder(view.getUint8(at), layout.companding);
    else values[i] = readInteger(view, at, layout);
  }
  dropEmptyBytes(values);
  return { values, lostBits };
}

/** Wide samples made from narrow ones end in zeros all along: they are counted in steps of 256 then. */
function dropEmptyBytes(values: Float64Array): void {
  for (let round = 0; round < 3; round++) {
    if (!values.every((value) => value % 256 === 0) || values.every((value) => value === 0)) return;
    for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / 256;
  }
}

function readInteger(view: DataView, at: number, layout: PcmLayout): number {
  const { bitsPerSample, isBigEndian } = layout;
  let value = 0;
  if (bitsPerSample === 8) value = view.getInt8(at);
  else if (bitsPerSample === 16) value = view.getInt16(at, !isBigEndian);
  else if (bitsPerSample === 24) {
    value = isBigEndian
      ? view.getInt8(at) * 65536 + view.getUint16(at + 1)
      : view.getInt8(at + 2) * 65536 + view.getUint16(at, true);
  } else if (bitsPerSample === 32) value = view.getInt32(at, !isBigEndian);
  else value = Number(view.getBigInt64(at, !isBigEndian) >> 16n);
  // Offset binary: turning the top bit round centres it.
  const half = 2 ** (Math.min(bitsPerSample, 48) - 1);
  return layout.isSigned ? value : value < 0 ? value + half : value - half;
}

/** A number nearer to zero has a finer step than 2^-23, so its form here loses as many bits as its exponent says. */
function readFloat(
  view: DataView,
  at: number,
  layout: PcmLayout,
  values: Float64Array,
  lostBits: Float64Array,
  i: number,
): void {
  const isDouble = layout.bitsPerSample === 64;
  const value = isDouble ? view.getFloat64(at, !layout.isBigEndian) : view.getFloat32(at, !layout.isBigEndian);
  if (value === 0) return;
  const size = Math.abs(value);
  if (!(size <= MAX_FLOAT) || size < 2 ** -40) {
    lostBits[i] = layout.bitsPerSample + 4;
    return;
  }
  const exponent = Math.floor(Math.log2(size));
  // Doubles are often made from singles, and singles from 16 or 24 bits: their last bits are then 0 and cost nothing.
  const extraBits = Math.fround(value) === value ? 0 : 52 - FLOAT_STEP_BITS;
  const isExact = Number.isInteger(value * 2 ** FLOAT_STEP_BITS);
  values[i] = Math.round(value * 2 ** FLOAT_STEP_BITS);
  lostBits[i] = isExact ? 1 : 1 + extraBits + Math.max(0, -exponent);
}

/** Companded bytes in order of loudness: neighbours in value are neighbours in number. */
function expandOrder(byte: number, companding: "ulaw" | "alaw"): number {
  const code = companding === "ulaw" ? ~byte & 0xff : byte ^ 0x55;
  const isNegative = companding === "ulaw" ? (code & 0x80) !== 0 : (code & 0x80) === 0;
  return isNegative ? -1 - (code & 0x7f) : code & 0x7f;
}
