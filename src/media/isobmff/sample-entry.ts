import { type BoxReader, openBox, openBoxes } from "./box-reader.ts";
import type { SampleEntry } from "./movie.ts";
import { constantPacket, pcmFrameBytes } from "./sound-format.ts";

type Visual = NonNullable<SampleEntry["visual"]>;
type Audio = NonNullable<SampleEntry["audio"]>;

/** Bytes of an entry before its children: box header, then what ISO/IEC 14496-12 §8.5.2 and QuickTime lay down. */
const BASE_BYTES = 16;
const VISUAL_BYTES = 86;
const SOUND_BYTES = 36;
const SOUND_V1_BYTES = 52;
const SOUND_V2_BYTES = 72;
/** Fixed fields before the children of entries that are neither visual nor sound. */
const OTHER_BYTES: Readonly<Record<string, number>> = { tx3g: 46, tmcd: 34, wvtt: 16, mebx: 16, mp4s: 16 };
/** Handlers whose entries are laid out as visual ones. */
const VISUAL_HANDLERS: readonly string[] = ["vide", "auxv", "pict"];
const MAX_WAVE_DEPTH = 4;

/**
 * Reads one `stsd` entry, header included. The handler decides its layout; fields that are cut short leave
 * `visual` or `audio` undefined. `isIsoVersion1` says that `stsd` has version 1, under which a sound entry of
 * version 1 has no QuickTime fields (ISO/IEC 14496-12 §12.2.3). Throws MEDIA_MALFORMED where no box starts.
 */
export function parseSampleEntry(raw: Uint8Array, handlerType: string, isIsoVersion1 = false): SampleEntry {
  const box = openBox(raw);
  const entry = { format: box.type, raw };
  if (VISUAL_HANDLERS.includes(handlerType)) return parseVisual(entry, box);
  if (handlerType === "soun") return parseSound(entry, box, isIsoVersion1);
  return { ...entry, children: parseChildren(raw, OTHER_BYTES[box.type] ?? BASE_BYTES) };
}

function parseVisual(entry: { format: string; raw: Uint8Array }, box: BoxReader): SampleEntry {
  if (box.sizeBytes < VISUAL_BYTES) return { ...entry, children: new Map() };
  box.skip(24);
  const widthPixels = box.u16();
  const heightPixels = box.u16();
  box.skip(46);
  const depthBits = box.u16();
  const colorTableId = box.u16();
  const visual: Visual = { widthPixels, heightPixels, depthBits };
  // QuickTime: a colour table stands in the entry where its ID is 0 and the picture has a palette.
  const hasTable = colorTableId === 0 && depthBits <= 8 && box.bytesLeft >= 8;
  const tableBytes = hasTable
    ? 8 + ((entry.raw[VISUAL_BYTES + 6] ?? 0) * 256 + (entry.raw[VISUAL_BYTES + 7] ?? 0) + 1) * 8
    : 0;
  return { ...entry, visual, children: parseChildren(entry.raw, VISUAL_BYTES + tableBytes) };
}

function parseSound(entry: { format: string; raw: Uint8Array }, box: BoxReader, isIsoVersion1: boolean): SampleEntry {
  if (box.sizeBytes < SOUND_BYTES) return { ...entry, children: new Map() };
  box.skip(8);
  const version = box.u16();
  box.skip(6);
  if (version === 2 && box.sizeBytes >= SOUND_V2_BYTES) return parseSoundVersion2(entry, box);
  const channelCount = box.u16();
  const sampleSizeBits = box.u16();
  const compressionId = box.u16();
  box.skip(2);
  const sampleRateHz = box.u32() / 0x1_0000;
  const hasQuickTimeFields =
    version === 1 && !isIsoVersion1 && box.sizeBytes >= SOUND_V1_BYTES && !startsChild(entry.raw);
  const packet = hasQuickTimeFields
    ? { frameCount: box.u32(), packetBytes: box.u32(), sizeBytes: box.u32() }
    : undefined;
  const children = parseChildren(entry.raw, hasQuickTimeFields ? SOUND_V1_BYTES : SOUND_BYTES);
  const bytesPerFrame = pcmFrameBytes(entry.format, channelCount, sampleSizeBits, children);
  const isVariable = compressionId === 0xfffe;
  const constant = bytesPerFrame > 0 || isVariable ? undefined : constantPacket(entry.format, channelCount, packet);
  const audio: Audio = {
    version,
    channelCount,
    sampleSizeBits,
    sampleRateHz: isIsoVersion1 ? (sampleRateBox(children) ?? sampleRateHz) : sampleRateHz,
    bytesPerFrame,
    formatFlags: 0,
    ...(constant ? { packet: constant } : {}),
  };
  return { ...entry, audio, children };
}

function parseSoundVersion2(entry: { format: string; raw: Uint8Array }, box: BoxReader): SampleEntry {
  box.skip(12);
  const structBytes = box.u32();
  const sampleRateHz = box.f64();
  const channelCount = box.u32();
  box.skip(4);
  const sampleSizeBits = box.u32();
  const formatFlags = box.u32();
  const packetBytes = box.u32();
  const framesPerPacket = box.u32();
  const children = parseChildren(entry.raw, Math.max(structBytes, SOUND_V2_BYTES));
  const isPcm = framesPerPacket === 1 && packetBytes > 0;
  const bytesPerFrame = isPcm ? packetBytes : pcmFrameBytes(entry.format, channelCount, sampleSizeBits, children);
  const audio: Audio = { version: 2, channelCount, sampleSizeBits, sampleRateHz, bytesPerFrame, formatFlags };
  return { ...entry, audio, children };
}

/** Whether a child box, not QuickTime's version 1 fields, follows the plain sound fields (sloppy ISO writers). */
function startsChild(raw: Uint8Array): boolean {
  const [first] = childrenAt(raw, SOUND_BYTES);
  return first !== undefined && !first.isClipped && /^[a-zA-Z][a-zA-Z0-9]{3}$/.test(first.type);
}

/** The rate in an ISO version 1 entry's `srat`, in Hz. */
function sampleRateBox(children: ReadonlyMap<string, Uint8Array>): number | undefined {
  const payload = children.get("srat");
  if (payload === undefined || payload.length < 8) return undefined;
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(4);
}

function parseChildren(raw: Uint8Array, index: number): ReadonlyMap<string, Uint8Array> {
  const children = new Map<string, Uint8Array>();
  collectChildren(childrenAt(raw, index), children, 0);
  return children;
}

function childrenAt(raw: Uint8Array, index: number): readonly BoxReader[] {
  return index < raw.length ? openBoxes(raw.subarray(index), "stsd") : [];
}

/** Puts payloads by type into `children`; the first of a type stays. Descends into QuickTime's `wave`. */
function collectChildren(boxes: readonly BoxReader[], children: Map<string, Uint8Array>, depth: number): void {
  for (const child of boxes) {
    if (!children.has(child.type)) children.set(child.type, child.bytes.subarray(child.payloadIndex, child.endIndex));
  }
  for (const child of boxes) {
    if (child.type === "wave" && depth < MAX_WAVE_DEPTH) collectChildren(child.children(), children, depth + 1);
  }
}
