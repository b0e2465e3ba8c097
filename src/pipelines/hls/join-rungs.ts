import { closeSync, openSync, rmSync } from "node:fs";
import { type FileSource, openFileSource } from "../../base/file-source.ts";
import { writeFully } from "../../base/write-fully.ts";
import { joinFragments } from "../../media/isobmff/join-fragments.ts";
import type { PackagePlan } from "./packaging.ts";
import { encodedPath, spanPath } from "./parts.ts";
import { takeTurn } from "./take-turn.ts";

/** So many pieces are written between two looks at what else is to be done. */
const PIECES_AT_ONCE = 64;

/**
 * Joins the spans of every rung into one file in `folder`; where there is one span, it is that file. `placeOf` tells where a span lies that
 * would be at a path in the folder; those in the folder itself are gone afterwards. Throws as `joinFragments`, ABORTED, and what the system throws.
 */
export async function joinRungs(
  plan: PackagePlan,
  folder: string,
  placeOf: (path: string) => string,
  signal: AbortSignal,
): Promise<void> {
  if (plan.spans.length === 1) return;
  for (const rung of plan.rungs) {
    const usual = plan.spans.map((_span, index) => spanPath(folder, plan, rung, index));
    const places = usual.map(placeOf);
    await joinFiles(places, encodedPath(folder, rung), signal);
    for (const [index, place] of places.entries()) if (place === usual[index]) rmSync(place);
  }
}

async function joinFiles(paths: readonly string[], target: string, signal: AbortSignal): Promise<void> {
  const sources: FileSource[] = [];
  try {
    for (const path of paths) sources.push(openFileSource(path));
    const descriptor = openSync(target, "wx");
    try {
      let pieces = 0;
      for (const piece of joinFragments(sources)) {
        if (pieces++ % PIECES_AT_ONCE === 0) await takeTurn(signal);
        writeFully(descriptor, piece);
      }
    } finally {
      closeSync(descriptor);
    }
  } finally {
    for (const source of sources) source.close();
  }
}
