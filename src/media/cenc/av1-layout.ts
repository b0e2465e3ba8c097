import { ReelmillError } from "../../base/errors.ts";
import { parseAv1Configuration } from "../av1/configuration.ts";
import { parseAv1FrameHeader } from "../av1/frame-header.ts";
import { type Av1State, createAv1State } from "../av1/frame-state.ts";
import {
  OBU_FRAME,
  OBU_FRAME_HEADER,
  OBU_SEQUENCE_HEADER,
  OBU_TILE_GROUP,
  type ObuHeader,
  parseObuHeader,
} from "../av1/obu.ts";
import { parseAv1SequenceHeader } from "../av1/sequence-header.ts";
import { walkTiles } from "../av1/tile-group.ts";
import type { Av1TileInfo } from "../av1/tile-info.ts";
import { BitReader } from "../bytes/bit-reader.ts";
import { createMemorySource } from "../bytes/byte-source.ts";
import { ByteWindow } from "../bytes/byte-window.ts";
import { BLOCK_BYTES } from "./block-pattern.ts";
import { type SampleLayout, SubsampleList } from "./subsample-list.ts";

/** What the headers before tell of those that follow. */
interface Walk {
  state: Av1State;
  /** Of the frame whose tile groups follow. */
  tiles: Av1TileInfo | undefined;
}

/**
 * AV1 (AV1 in ISOBMFF §4.4): of each tile the whole blocks that it ends with are protected, all else is clear. `av1C` is a payload. What it gives takes
 * every sample in turn and throws MEDIA_MALFORMED where a header is not understood.
 */
export function createAv1Layout(av1C: Uint8Array): SampleLayout {
  const walk: Walk = { state: createAv1State(parseAv1Configuration(av1C).sequence), tiles: undefined };
  return (sample) => {
    const subsamples = new SubsampleList();
    let clearFrom = 0;
    for (const { offset, end } of tilesOf(sample, walk)) {
      const protectedBytes = Math.floor((end - offset) / BLOCK_BYTES) * BLOCK_BYTES;
      subsamples.clear(end - protectedBytes - clearFrom);
      subsamples.protect(protectedBytes);
      clearFrom = end;
    }
    subsamples.clear(sample.length - clearFrom);
    return subsamples.finish();
  };
}

interface Range {
  readonly offset: number;
  readonly end: number;
}

function tilesOf(sample: Uint8Array, walk: Walk): readonly Range[] {
  const ranges: Range[] = [];
  for (let index = 0; index < sample.length; ) {
    const obu = parseObuHeader(sample, index, sample.length);
    if (obu === undefined) throw notUnderstood("An OBU");
    const start = index + obu.headerBytes;
    index = start + obu.payloadBytes;
    if (index > sample.length) throw notUnderstood("An OBU");
    takeObu(sample, walk, obu, { offset: start, end: index }, ranges);
  }
  return ranges;
}

function takeObu(sample: Uint8Array, walk: Walk, obu: ObuHeader, { offset, end }: Range, ranges: Range[]): void {
  if (obu.type === OBU_SEQUENCE_HEADER) {
    walk.state = { ...walk.state, sequence: parseAv1SequenceHeader(new BitReader(sample, offset, end)) };
    return;
  }
  let groupAt = offset;
  if (obu.type === OBU_FRAME || obu.type === OBU_FRAME_HEADER) {
    const { sequence } = walk.state;
    if (sequence === undefined) throw notUnderstood("A frame without a sequence header");
    const header = parseAv1FrameHeader(new BitReader(sample, offset, end), sequence, walk.state, obu);
    walk.state = { ...walk.state, references: header.references };
    walk.tiles = header.tiles;
    if (header.headerBits === undefined) throw notUnderstood("The header of a frame");
    groupAt += Math.ceil(header.headerBits / 8);
  }
  if (obu.type !== OBU_FRAME && obu.type !== OBU_TILE_GROUP) return;
  if (walk.tiles === undefined) throw notUnderstood("A tile group without a frame");
  const window = new ByteWindow(createMemorySource(sample));
  const group = walkTiles(window, groupAt, end, end, walk.tiles, (at, tileEnd) => {
    ranges.push({ offset: at, end: tileEnd });
  });
  if (group === "no") throw notUnderstood("A tile group");
}

function notUnderstood(what: string): ReelmillError {
  return new ReelmillError("MEDIA_MALFORMED", `${what} of an AV1 sample is not understood.`);
}
