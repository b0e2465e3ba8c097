import { join } from "node:path";
import { chooseByStrategy, type ReferenceCandidate } from "../../pipelines/repair/reference-strategy.ts";
import type { Room } from "./room.ts";

function listHealthy(room: Room): readonly ReferenceCandidate[] {
  const { readyFolder } = room.options.settings;
  return [...room.book.entries.values()]
    .filter((entry) => entry.signature !== "")
    .map(({ name, signature, sighting: { bytes, modifiedAtMs } }) => {
      return { path: join(readyFolder, name), bytes, modifiedAtMs, signature };
    });
}

/** Healthy recordings to be offered, the one to be tried first in front. */
export function chooseReferences(room: Room): readonly ReferenceCandidate[] {
  return chooseByStrategy(listHealthy(room), room.options.settings.referenceStrategy);
}

/** Another one whenever a healthy file has come or gone. */
export function healthyKeyOf(room: Room): string {
  const files = listHealthy(room).map(({ path, bytes, modifiedAtMs }) => [path, bytes, modifiedAtMs]);
  return JSON.stringify(files.sort());
}
