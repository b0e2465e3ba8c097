import type { ByteWindow } from "../bytes/byte-window.ts";
import type { Av1TileInfo } from "./tile-info.ts";

/** A tile group's place in its frame. */
export interface TileGroup {
  /** tg_end: index of the last tile, from 0 in raster order. */
  readonly lastTile: number;
  readonly evidenceBits: number;
}

/** Beyond this many tiles the sizes are taken on trust where nobody wants to hear of each: the sum is already certain. */
const MAX_TILES_WALKED = 64;

/** Hears of each tile in turn: the absolute offsets where its data begin and end. */
export type OnTile = (startOffset: number, endOffset: number) => void;

/**
 * Reads a tile group's header at absolute `offset` and follows its tile sizes (AV1 §5.11.1), which must fit into the
 * OBU that ends at `obuEnd`. Sizes that lie past `endOffset` are not looked at. "no" where they do not fit. `onTile` hears of every tile where `endOffset`
 * is no less than `obuEnd`.
 */
export function walkTiles(
  window: ByteWindow,
  offset: number,
  obuEnd: number,
  endOffset: number,
  tiles: Av1TileInfo,
  onTile?: OnTile,
): TileGroup | "no" {
  if (offset >= obuEnd) return "no";
  if (tiles.tileCount === 1) {
    onTile?.(offset, obuEnd);
    return { lastTile: 0, evidenceBits: 0 };
  }
  const headerBytes = Math.ceil((1 + 2 * tiles.tileBits) / 8);
  if (offset + headerBytes > endOffset) return { lastTile: tiles.tileCount - 1, evidenceBits: 0 };
  let field = 0;
  for (let i = 0; i < headerBytes; i++) field = field * 256 + window.u8(offset + i);
  let bitsLeft = 8 * headerBytes;
  const take = (bits: number): number => {
    bitsLeft -= bits;
    return Math.floor(field / 2 ** bitsLeft) % 2 ** bits;
  };
  const isPart = take(1) === 1;
  const first = isPart ? take(tiles.tileBits) : 0;
  const lastTile = isPart ? take(tiles.tileBits) : tiles.tileCount - 1;
  const padding = isPart ? bitsLeft : 7;
  if (lastTile < first || lastTile >= tiles.tileCount) return "no";
  const isPadded = isPart ? field % 2 ** bitsLeft !== 0 : (window.u8(offset) & 0x7f) !== 0;
  if (isPadded) return "no";
  const group = { sizeBytes: tiles.tileSizeBytes, sizedTiles: lastTile - first, lastTile, evidenceBits: padding };
  return followSizes(window, offset + (isPart ? headerBytes : 1), obuEnd, endOffset, group, onTile);
}

function followSizes(
  window: ByteWindow,
  start: number,
  obuEnd: number,
  endOffset: number,
  group: { readonly sizeBytes: number; readonly sizedTiles: number; readonly lastTile: number; evidenceBits: number },
  onTile: OnTile | undefined,
): TileGroup | "no" {
  let offset = start;
  const tileCount = onTile === undefined ? Math.min(group.sizedTiles, MAX_TILES_WALKED) : group.sizedTiles;
  for (let tile = 0; tile < tileCount; tile++) {
    if (offset + group.sizeBytes > endOffset) break;
    let size = 1;
    for (let i = 0; i < group.sizeBytes; i++) size += window.u8(offset + i) * 256 ** i;
    const room = obuEnd - offset - group.sizeBytes;
    if (size >= room) return "no";
    group.evidenceBits += Math.max(0, 8 * group.sizeBytes - Math.log2(room));
    onTile?.(offset + group.sizeBytes, offset + group.sizeBytes + size);
    offset += group.sizeBytes + size;
  }
  onTile?.(offset, obuEnd);
  return { lastTile: group.lastTile, evidenceBits: group.evidenceBits };
}
