import { lstatSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemClock } from "./clock.ts";
import { fittingName } from "./fitting-name.ts";
import { createOwnerToken, ownerOf, UNKNOWN_OWNER_KEPT_MS } from "./owner-token.ts";

const PART = /^\..*\.reelmill-([^-]+)\.part$/s;
const FOLDER = /^\.reelmill-[a-z]+-([^-]+)$/;

/** The temporary name beside the target; folder walks skip such names. */
export function temporaryPathFor(target: string): string {
  return join(dirname(target), fittingName(`.${basename(target)}`, `.reelmill-${createOwnerToken()}.part`));
}

/** The name of a folder to work in beside the target. `deed`, in small letters, shows in it. */
export function workFolderPathFor(target: string, deed: string): string {
  return join(dirname(target), `.reelmill-${deed}-${createOwnerToken()}`);
}

/**
 * Removes what lies beside the target under such names and is nobody's any more: of processes of this machine that were killed, and what nobody has
 * changed for 24 hours. Never throws: what cannot be removed stays, and is in nobody's way.
 */
export function removeLeftovers(target: string): void {
  removeAbandoned(dirname(target), (name) => (PART.exec(name) ?? FOLDER.exec(name))?.[1]);
}

/** The same of all that lies in a folder and in whose name `tokenOf` finds the token of who made it. */
export function removeAbandoned(folder: string, tokenOf: (name: string) => string | undefined): void {
  for (const name of namesIn(folder)) {
    const token = tokenOf(name);
    if (token === undefined) continue;
    try {
      if (isLeftover(join(folder, name), token)) rmSync(join(folder, name), { recursive: true, force: true });
    } catch {
      // Another user's, say. Whoever made it ran here and can remove it.
    }
  }
}

function isLeftover(path: string, token: string): boolean {
  const owner = ownerOf(token);
  return owner === "unknown" ? systemClock.nowMs() - lastChange(path) > UNKNOWN_OWNER_KEPT_MS : owner === "gone";
}

/** The latest change of anything in a folder, or of a file, in milliseconds since 1970-01-01T00:00:00Z. Links are not followed. */
function lastChange(path: string): number {
  const stats = lstatSync(path);
  const inside = stats.isDirectory() ? readdirSync(path).map((name) => lastChange(join(path, name))) : [];
  return inside.reduce((latest, at) => Math.max(latest, at), stats.mtimeMs);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Where nothing can be written either, whoever writes the target says so.
    return [];
  }
}
