import { concatBytes, FieldWriter, serializeBox, serializeFullBox } from "./box-writer.ts";
import { serializeHdlr } from "./hdlr.ts";
import { serializeMdhd } from "./mdhd.ts";
import { serializeMvhd } from "./mvhd.ts";
import { serializeTkhd } from "./tkhd.ts";

/** `und` as ISO 639-2/T packs into `mdhd`. */
const UNDETERMINED_LANGUAGE = 0x55c4;
const HANDLER_NAMES: Readonly<Record<string, string>> = { vide: "VideoHandler", soun: "SoundHandler" };

/** What the boxes of a track made from scratch say. */
export interface NewTrack {
  /** ≥ 1. */
  readonly trackId: number;
  /** `vide`, `soun`, `meta`, `tmcd`, `text`, `sbtl`, … */
  readonly handlerType: string;
  /** Ticks per second of the media. */
  readonly timescale: number;
  /** Presentation width in pixels; 0 or absent for what shows no picture. */
  readonly widthPixels?: number;
  readonly heightPixels?: number;
}

/** Unity matrix of 16.16 and 2.30 fixed point, ISO/IEC 14496-12 §8.2.2. */
function writeUnityMatrix(fields: FieldWriter): void {
  for (const value of [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]) fields.u32(value);
}

/** An `mvhd` with normal rate, full volume, the unity matrix, no dates and a duration of 0. */
export function createMovieHeader(timescale: number, nextTrackId: number): Uint8Array {
  const tail = new FieldWriter(76);
  tail.u32(0x1_0000);
  tail.u16(0x100);
  tail.zeros(10);
  writeUnityMatrix(tail);
  tail.zeros(24);
  return serializeMvhd({ timescale, durationTicks: 0, tail: tail.finish(), nextTrackId });
}

/**
 * The boxes of `Track.boxes` for a track made from scratch: `tkhd` (enabled, in movie, full volume for sound), `mdhd`
 * (language undetermined), `hdlr`, the media header that fits the handler, and `dinf` for data in the same file.
 * Durations are 0: the writer sets them.
 */
export function createTrackBoxes(track: NewTrack): Map<string, Uint8Array> {
  const tail = new FieldWriter(60);
  tail.zeros(12);
  tail.u16(track.handlerType === "soun" ? 0x100 : 0);
  tail.u16(0);
  writeUnityMatrix(tail);
  tail.u32(Math.round((track.widthPixels ?? 0) * 0x1_0000));
  tail.u32(Math.round((track.heightPixels ?? 0) * 0x1_0000));
  const tkhd = serializeTkhd({ flags: 3, trackId: track.trackId, durationTicks: 0, tail: tail.finish() });
  const { timescale } = track;
  const mediaHeader = createMediaHeader(track.handlerType);
  return new Map([
    ["tkhd", tkhd],
    ["mdia/mdhd", serializeMdhd({ timescale, durationTicks: 0, language: UNDETERMINED_LANGUAGE, quality: 0 })],
    ["mdia/hdlr", createHandler(track.handlerType)],
    [`mdia/minf/${mediaHeader.type}`, mediaHeader.bytes],
    ["mdia/minf/dinf", createDataInformation()],
  ]);
}

function createHandler(handlerType: string): Uint8Array {
  const name = new TextEncoder().encode(`${HANDLER_NAMES[handlerType] ?? "DataHandler"}\0`);
  return serializeHdlr({ componentType: "\0\0\0\0", handlerType, reserved: new Uint8Array(12), name });
}

function createMediaHeader(handlerType: string): { readonly type: string; readonly bytes: Uint8Array } {
  if (handlerType === "vide" || handlerType === "auxv") {
    return { type: "vmhd", bytes: serializeFullBox("vmhd", 0, 1, new Uint8Array(8)) };
  }
  if (handlerType === "soun") return { type: "smhd", bytes: serializeFullBox("smhd", 0, 0, new Uint8Array(4)) };
  if (handlerType === "text" || handlerType === "tmcd") return { type: "gmhd", bytes: createGenericHeader() };
  return { type: "nmhd", bytes: serializeFullBox("nmhd", 0, 0) };
}

/** QuickTime's base media header: copy mode, grey opcolor, centred balance. */
function createGenericHeader(): Uint8Array {
  const fields = new FieldWriter(12);
  for (const value of [0x40, 0x8000, 0x8000, 0x8000, 0, 0]) fields.u16(value);
  return serializeBox("gmhd", serializeFullBox("gmin", 0, 0, fields.finish()));
}

/** `dinf` with one `url ` of flag 1: the data lie in this file. ISO/IEC 14496-12 §8.7.1–2. */
function createDataInformation(): Uint8Array {
  const count = new FieldWriter(4);
  count.u32(1);
  const dref = serializeFullBox("dref", 0, 0, concatBytes([count.finish(), serializeFullBox("url ", 0, 1)]));
  return serializeBox("dinf", dref);
}
