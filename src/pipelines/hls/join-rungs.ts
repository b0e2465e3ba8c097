import { closeSync, openSync, rmSync } from "node:fs";
import { openFileSource } from "../../base/file-source.ts";
import { writeFully } from "../../base/write-fully.ts";
import { canJoin, joinFragments } from "../../media/isobmff/join-fragments.ts";
import type { PackagePlan } from "./packaging.ts";
import { encodedPath, spanPath } from "./parts.ts";
import { takeTurn } from "./take-turn.ts";

/** So many pieces are written between two looks at what else is to be done. */
const PIECES_AT_ONCE = 64;

/** Tells for a while where the files lie that would be at paths in the folder. */
export type LendSpans = <T>(paths: readonly string[], use: (places: readonly string[]) => Promise<T>) => Promise<T>;

/**
 * Joins the spans of every rung into one file in `folder`, one rung after the other; where there is one span, it is that file. Spans that lie in
 * the folder itself are gone afterwards. False where the spans of a rung do not fit together: a recording that changes the colours of its
 * pictures, or of which a span has none. Throws as `joinFragments`, ABORTED, and what the system throws.
 */
export async function joinRungs(
  plan: PackagePlan,
  folder: string,
  lend: LendSpans,
  signal: AbortSignal,
): Promise<boolean> {
  if (plan.spans.length === 1) return true;
  for (const rung of plan.rungs) {
    const paths = plan.spans.map((_span, index) => spanPath(folder, plan, rung, index));
    const isJoined = await lend(paths, async (places) => {
      const openers = places.map((place) => () => openFileSource(place));
      if (!canJoin(openers)) return false;
      await writePieces(joinFragments(openers), encodedPath(folder, rung), signal);
      return true;
    });
    for (const path of paths) rmSync(path, { force: true });
    if (!isJoined) return false;
  }
  return true;
}

async function writePieces(pieces: Iterable<Uint8Array>, target: string, signal: AbortSignal): Promise<void> {
  const descriptor = openSync(target, "wx");
  try {
    let count = 0;
    for (const piece of pieces) {
      if (count++ % PIECES_AT_ONCE === 0) await takeTurn(signal);
      writeFully(descriptor, piece);
    }
  } finally {
    closeSync(descriptor);
  }
}
