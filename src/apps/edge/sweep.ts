import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ClaimKeeper } from "./claims.ts";
import { tokenOfPart } from "./publish.ts";
import type { EdgeSettings } from "./settings.ts";
import { unlessMissing } from "./system-errors.ts";

/** Where repairs under a claim write, in the export folder, so that the result need not be copied. */
export function workFolderOf(settings: EdgeSettings, token: string): string {
  return join(settings.exportFolder, `.reelmill-${token}.work`);
}

function tokenOfWork(name: string): string | undefined {
  return /^\.reelmill-([0-9a-f]{24})\.work$/.exec(name)?.[1];
}

/** Removes what was half done under claims that nobody holds any more. */
export async function sweepFolders(settings: EdgeSettings, claims: ClaimKeeper): Promise<void> {
  const { exportFolder, quarantineFolder, originalsFolder } = settings;
  const found: { readonly path: string; readonly token: string }[] = [];
  for (const folder of [exportFolder, quarantineFolder, originalsFolder]) {
    for (const name of await unlessMissing(readdir(folder), [])) {
      const token = tokenOfPart(name) ?? tokenOfWork(name);
      if (token !== undefined) found.push({ path: join(folder, name), token });
    }
  }
  if (found.length === 0) return;
  // Asked after the listing: whoever made one of these held its claim before.
  const live = await claims.liveTokens();
  const orphans = found.filter(({ token }) => !live.has(token));
  for (const { path } of orphans) await rm(path, { recursive: true, force: true });
}
