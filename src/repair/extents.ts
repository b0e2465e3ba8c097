import { firstIndexWhere } from "../base/first-index.ts";

/** A byte range. */
export interface Extent {
  readonly startOffset: number;
  readonly endOffset: number;
}

/** Index of the first of `extents` (rising, apart) that ends after `offset`, by halving; their number where none does. */
export function firstEndingAfter(extents: readonly Extent[], offset: number): number {
  return firstIndexWhere(extents.length, (index) => (extents[index] as Extent).endOffset > offset);
}

/** As `firstEndingAfter`, at once where `hint`, an answer to an offset nearby, holds for this one too. */
export function nextEndingAfter(extents: readonly Extent[], offset: number, hint: number): number {
  const isBehind = hint === 0 || (extents[hint - 1] as Extent).endOffset <= offset;
  const isAhead = hint === extents.length || (extents[hint] as Extent).endOffset > offset;
  return isBehind && isAhead ? hint : firstEndingAfter(extents, offset);
}

/** The same bytes as rising extents that do not touch. */
export function joinExtents(extents: readonly Extent[]): Extent[] {
  const joined: { startOffset: number; endOffset: number }[] = [];
  for (const extent of [...extents].sort((a, b) => a.startOffset - b.startOffset)) {
    const last = joined.at(-1);
    if (last && extent.startOffset <= last.endOffset) last.endOffset = Math.max(last.endOffset, extent.endOffset);
    else joined.push({ ...extent });
  }
  return joined;
}
