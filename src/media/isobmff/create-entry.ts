import { ReelmillError } from "../../base/errors.ts";
import { FieldWriter, serializeBox } from "./box-writer.ts";
import { serializeEsds } from "./esds.ts";
import type { SampleEntry } from "./movie.ts";
import { parseSampleEntry } from "./sample-entry.ts";

/** A child box of a sample entry. */
export interface EntryChild {
  /** `avcC`, `hvcC`, `av1C`, `colr`, `pasp`, … */
  readonly type: string;
  /** Without the box header. */
  readonly payload: Uint8Array;
}

/** A visual sample entry made from scratch. */
export interface NewVisualEntry {
  /**
   * ProRes `apch apcn apcs apco ap4h ap4x`, Motion JPEG `jpeg`, DNxHD `AVdn`, DNxHR `AVdh`, or `avc1 hvc1 av01 vp09 mp4v`
   * with their configuration among `children`.
   */
  readonly format: string;
  /** 1–65535. */
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** 24 unless told; 32 where an alpha channel is coded. */
  readonly depthBits?: number;
  readonly children?: readonly EntryChild[];
}

/** A visual entry, ISO/IEC 14496-12 §12.1.3. Throws INTERNAL where a size does not fit 16 bits. */
export function createVisualEntry(entry: NewVisualEntry): SampleEntry {
  const fields = startEntry();
  fields.zeros(16);
  fields.u16(entry.widthPixels);
  fields.u16(entry.heightPixels);
  fields.u32(72 * 0x1_0000);
  fields.u32(72 * 0x1_0000);
  fields.u32(0);
  fields.u16(1);
  fields.zeros(32);
  fields.u16(entry.depthBits ?? 24);
  fields.u16(0xffff);
  return finishEntry(entry.format, "vide", fields, entry.children ?? []);
}

/** Motion JPEG in an ISO file: `mp4v` with object type 0x6c, ISO/IEC 14496-1 §7.2.6.6. */
export function createJpegMp4Entry(widthPixels: number, heightPixels: number): SampleEntry {
  const children = [{ type: "esds", payload: esdsPayload(0x6c, 4, new Uint8Array(0)) }];
  return createVisualEntry({ format: "mp4v", widthPixels, heightPixels, children });
}

/** A compressed sound entry made from scratch. */
export interface NewSoundEntry {
  /** `ac-3`, `ec-3`, `.mp3`, `Opus`, `fLaC`, … */
  readonly format: string;
  /** 1–65535. */
  readonly channelCount: number;
  /** Above 65535 the field says 0 and readers take the codec's own rate. */
  readonly sampleRateHz: number;
  readonly children?: readonly EntryChild[];
}

/** A sound entry of version 0 with 16 bits per sample, ISO/IEC 14496-12 §12.2.3. */
export function createSoundEntry(entry: NewSoundEntry): SampleEntry {
  const fields = startSound(0, entry.channelCount, 16, 0, entry.sampleRateHz);
  return finishEntry(entry.format, "soun", fields, entry.children ?? []);
}

/** `mp4a` for AAC with the AudioSpecificConfig given (ISO/IEC 14496-3 §1.6.2.1), its `esds` made. */
export function createAacEntry(
  audioSpecificConfig: Uint8Array,
  channelCount: number,
  sampleRateHz: number,
): SampleEntry {
  const children = [{ type: "esds", payload: esdsPayload(0x40, 5, audioSpecificConfig) }];
  return createSoundEntry({ format: "mp4a", channelCount, sampleRateHz, children });
}

/** An uncompressed sound entry made from scratch. */
export interface NewPcmEntry {
  /** QuickTime's PCM formats. `lpcm` is written at version 2, the others at 0 (16 bits and less) or 1. */
  readonly format: "sowt" | "twos" | "raw " | "in24" | "in32" | "fl32" | "fl64" | "ulaw" | "alaw" | "lpcm";
  readonly channelCount: number;
  /** 1–65535; any rate with `lpcm`. */
  readonly sampleRateHz: number;
  /** 8, 16, 24, 32 or 64. */
  readonly sampleSizeBits: number;
  /** `lpcm` and the formats of 24 bits and more: big-endian unless true. */
  readonly isLittleEndian?: boolean;
  /** `lpcm`: floating point instead of signed integers. */
  readonly isFloat?: boolean;
}

/** A PCM entry (QuickTime File Format, sound sample descriptions version 0, 1 and 2). */
export function createPcmEntry(entry: NewPcmEntry): SampleEntry {
  if (entry.format === "lpcm") return createLinearPcmEntry(entry);
  const { format, channelCount, sampleSizeBits, sampleRateHz } = entry;
  const isWide = ["in24", "in32", "fl32", "fl64"].includes(format);
  if (!isWide) {
    const sizeBits = format === "ulaw" || format === "alaw" ? 16 : sampleSizeBits;
    return finishEntry(format, "soun", startSound(0, channelCount, sizeBits, 0, sampleRateHz), []);
  }
  const sampleBytes = format === "in24" ? 3 : format === "fl64" ? 8 : 4;
  const fields = startSound(1, channelCount, 16, 0, sampleRateHz);
  for (const value of [1, sampleBytes, sampleBytes * channelCount, 2]) fields.u32(value);
  const endian = Uint8Array.of(0, entry.isLittleEndian ? 1 : 0);
  const wave = new FieldWriter(64);
  const formatBytes = new FieldWriter(4);
  formatBytes.fourcc(format);
  wave.bytes(serializeBox("frma", formatBytes.finish()));
  wave.bytes(serializeBox("enda", endian));
  wave.bytes(serializeBox("\0\0\0\0"));
  return finishEntry(format, "soun", fields, [{ type: "wave", payload: wave.finish() }]);
}

function createLinearPcmEntry(entry: NewPcmEntry): SampleEntry {
  const fields = startEntry();
  fields.u16(2);
  fields.zeros(6);
  for (const value of [3, 16, 0xfffe, 0]) fields.u16(value);
  fields.u32(0x1_0000);
  fields.u32(72);
  fields.f64(entry.sampleRateHz);
  fields.u32(entry.channelCount);
  fields.u32(0x7f00_0000);
  fields.u32(entry.sampleSizeBits);
  fields.u32((entry.isFloat ? 1 : 4) | (entry.isLittleEndian ? 0 : 2) | 8);
  fields.u32((entry.sampleSizeBits / 8) * entry.channelCount);
  fields.u32(1);
  return finishEntry("lpcm", "soun", fields, []);
}

/** Six reserved bytes and data reference 1, as every entry begins. */
function startEntry(): FieldWriter {
  const fields = new FieldWriter(128);
  fields.zeros(6);
  fields.u16(1);
  return fields;
}

function startSound(
  version: number,
  channelCount: number,
  sampleSizeBits: number,
  compressionId: number,
  sampleRateHz: number,
): FieldWriter {
  const fields = startEntry();
  fields.u16(version);
  fields.zeros(6);
  fields.u16(channelCount);
  fields.u16(sampleSizeBits);
  fields.u16(compressionId);
  fields.u16(0);
  fields.u32(sampleRateHz > 0xffff ? 0 : Math.round(sampleRateHz * 0x1_0000));
  return fields;
}

function finishEntry(
  format: string,
  handlerType: string,
  fields: FieldWriter,
  children: readonly EntryChild[],
): SampleEntry {
  if (format.length !== 4) throw new ReelmillError("INTERNAL", `A format has four characters, got "${format}".`);
  for (const child of children) fields.bytes(serializeBox(child.type, child.payload));
  return parseSampleEntry(serializeBox(format, fields.finish()), handlerType);
}

function esdsPayload(objectType: number, streamType: number, decoderSpecificInfo: Uint8Array): Uint8Array {
  const rates = { maxBitsPerSecond: 0, averageBitsPerSecond: 0 };
  return serializeEsds({ objectType, streamType, ...rates, decoderSpecificInfo }).subarray(8);
}
