import type { Finding, FindingKind } from "../../api/repair-types.ts";

/** A stretch of the damaged file as it is drawn; what lies between the stretches was recovered or is structure. */
export interface Stretch {
  readonly kind: FindingKind;
  readonly startOffset: number;
  readonly endOffset: number;
  /** Where it is drawn, from 0 to 1 of the strip. */
  readonly left: number;
  /** At least so much that it can be seen. */
  readonly width: number;
}

/** From the gravest: where two share a place, the graver is drawn over. */
const GRAVITY: readonly FindingKind[] = ["lost", "damaged-packet", "cut-packet", "zeros", "padding"];
const NARROWEST = 0.002;
const MOST = 1_000;

/** Places the findings on a strip that stands for `totalBytes`; the gravest come last, to be drawn over the others. */
export function layoutDamage(findings: readonly Finding[], totalBytes: number): readonly Stretch[] {
  if (!(totalBytes > 0)) return [];
  const stretches = findings.flatMap(({ kind, startOffset, endOffset }) => {
    const start = Math.max(0, Math.min(totalBytes, startOffset));
    const end = Math.max(start, Math.min(totalBytes, endOffset));
    if (end === start || !GRAVITY.includes(kind)) return [];
    const width = Math.max(NARROWEST, (end - start) / totalBytes);
    return [{ kind, startOffset: start, endOffset: end, left: Math.min(start / totalBytes, 1 - width), width }];
  });
  const merged = stretches.length > MOST ? mergeClose(stretches) : stretches;
  return merged.toSorted((one, other) => GRAVITY.indexOf(other.kind) - GRAVITY.indexOf(one.kind));
}

/** Joins stretches of one kind that nobody could tell apart. */
function mergeClose(stretches: readonly Stretch[]): readonly Stretch[] {
  const merged: Stretch[] = [];
  const open = new Map<FindingKind, number>();
  for (const stretch of stretches.toSorted((one, other) => one.startOffset - other.startOffset)) {
    const at = open.get(stretch.kind);
    const before = at === undefined ? undefined : merged[at];
    if (at !== undefined && before !== undefined && stretch.left < before.left + before.width) {
      const width = Math.max(before.width, stretch.left + stretch.width - before.left);
      merged[at] = { ...before, endOffset: Math.max(before.endOffset, stretch.endOffset), width };
    } else {
      open.set(stretch.kind, merged.push(stretch) - 1);
    }
  }
  return merged;
}

/** Bytes by kind of finding. */
export function sumByKind(findings: readonly Finding[]): ReadonlyMap<FindingKind, number> {
  const sums = new Map<FindingKind, number>();
  for (const { kind, startOffset, endOffset } of findings) {
    sums.set(kind, (sums.get(kind) ?? 0) + Math.max(0, endOffset - startOffset));
  }
  return new Map([...sums].toSorted(([one], [other]) => GRAVITY.indexOf(one) - GRAVITY.indexOf(other)));
}
