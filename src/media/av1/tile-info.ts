import type { BitReader } from "../bytes/bit-reader.ts";
import type { Av1SequenceHeader } from "./sequence-header.ts";

/** How a frame is cut into tiles. */
export interface Av1TileInfo {
  readonly tileCount: number;
  /** Bits of tg_start and tg_end. */
  readonly tileBits: number;
  /** Bytes of each tile_size_minus_1 field, 1 to 4; 0 where there is one tile. */
  readonly tileSizeBytes: number;
}

const MAX_TILE_WIDTH = 4096;
const MAX_TILE_AREA = 4096 * 2304;
const MAX_TILE_COLUMNS = 64;
const MAX_TILE_ROWS = 64;

/**
 * tile_info (AV1 §5.9.15) for a frame of `frameWidth` (after super-resolution's division) by `frameHeight` pixels.
 * Throws MEDIA_MALFORMED where the bytes end early.
 */
export function parseTileInfo(
  reader: BitReader,
  sequence: Av1SequenceHeader,
  frameWidth: number,
  frameHeight: number,
): Av1TileInfo {
  const superblockLog2 = sequence.use128Superblock ? 7 : 6;
  const columns = superblocks(frameWidth, superblockLog2);
  const rows = superblocks(frameHeight, superblockLog2);
  const maxTileColumns = MAX_TILE_WIDTH >>> superblockLog2;
  const minTilesLog2 = Math.max(
    ceilLog2(maxTileColumns, columns),
    ceilLog2(MAX_TILE_AREA >>> (2 * superblockLog2), rows * columns),
  );
  const grid = reader.flag()
    ? parseUniform(reader, columns, rows, maxTileColumns, minTilesLog2)
    : parseExplicit(reader, columns, rows, maxTileColumns, minTilesLog2);
  const tileBits = grid.columnsLog2 + grid.rowsLog2;
  let tileSizeBytes = 0;
  if (tileBits > 0) {
    reader.skip(tileBits);
    tileSizeBytes = reader.bits(2) + 1;
  }
  return { tileCount: grid.columns * grid.rows, tileBits, tileSizeBytes };
}

/** Frame length in 8-pixel units doubled, as MiCols and MiRows, then rounded up to superblocks. */
function superblocks(pixels: number, superblockLog2: number): number {
  const mi = 2 * ((pixels + 7) >>> 3);
  return (mi + (1 << (superblockLog2 - 2)) - 1) >>> (superblockLog2 - 2);
}

/** tile_log2: the smallest k with `unit << k` ≥ `target`. */
function ceilLog2(unit: number, target: number): number {
  let k = 0;
  while (unit * 2 ** k < target) k++;
  return k;
}

interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly columnsLog2: number;
  readonly rowsLog2: number;
}

function parseUniform(
  reader: BitReader,
  columns: number,
  rows: number,
  maxTileColumns: number,
  minTilesLog2: number,
): Grid {
  const columnsLog2 = parseIncrements(
    reader,
    ceilLog2(maxTileColumns, columns),
    ceilLog2(1, Math.min(columns, MAX_TILE_COLUMNS)),
  );
  const tileColumns = Math.ceil(columns / Math.ceil(columns / 2 ** columnsLog2));
  const rowsLog2 = parseIncrements(
    reader,
    Math.max(minTilesLog2 - columnsLog2, 0),
    ceilLog2(1, Math.min(rows, MAX_TILE_ROWS)),
  );
  const tileRows = Math.ceil(rows / Math.ceil(rows / 2 ** rowsLog2));
  return { columns: tileColumns, rows: tileRows, columnsLog2, rowsLog2 };
}

function parseIncrements(reader: BitReader, minLog2: number, maxLog2: number): number {
  let log2 = minLog2;
  while (log2 < maxLog2 && reader.flag()) log2++;
  return log2;
}

function parseExplicit(
  reader: BitReader,
  columns: number,
  rows: number,
  maxTileColumns: number,
  minTilesLog2: number,
): Grid {
  const across = parseSpans(reader, columns, maxTileColumns);
  const area = minTilesLog2 > 0 ? (rows * columns) >>> (minTilesLog2 + 1) : rows * columns;
  const down = parseSpans(reader, rows, Math.max(Math.floor(area / across.widest), 1));
  return {
    columns: across.count,
    rows: down.count,
    columnsLog2: ceilLog2(1, across.count),
    rowsLog2: ceilLog2(1, down.count),
  };
}

function parseSpans(reader: BitReader, total: number, maxSpan: number): { count: number; widest: number } {
  let count = 0;
  let widest = 0;
  for (let start = 0; start < total; count++) {
    const span = parseNonSymmetric(reader, Math.min(total - start, maxSpan)) + 1;
    widest = Math.max(widest, span);
    start += span;
  }
  return { count, widest };
}

/** ns(n), AV1 §4.10.7: a value below `n` in floor(log2 n) or one more bits. `n` ≥ 1. */
export function parseNonSymmetric(reader: BitReader, n: number): number {
  let width = 0;
  while (n >= 2 ** width) width++;
  const shortCodes = 2 ** width - n;
  const value = reader.bits(width - 1);
  if (value < shortCodes) return value;
  return value * 2 - shortCodes + reader.bits(1);
}
