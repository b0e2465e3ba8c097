import { lstatSync } from "node:fs";
import { basename, join } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import { printableLine } from "../../../base/printable.ts";
import type { CliContext } from "../cli-context.ts";
import type { ApiClient } from "../client/api-client.ts";
import { downloadObject, nameFor, prepareFolder } from "../client/download.ts";
import { withQuery } from "../client/paths.ts";
import { type JobView, OBJECT_PAGE } from "../client/views.ts";
import { createProgressBar } from "../progress-bar.ts";
import { outputKeys, packageKey } from "./job-text.ts";

const PAGE = "1000";

interface Saving {
  readonly key: string;
  readonly folder: string;
  readonly name: string;
}

/**
 * Saves what a job made in a folder: files each under a free name, an HLS package whole, as it lies on the server. Throws OUTPUT_EXISTS where
 * a file of a package is there already, and what `downloadObject` throws.
 */
export async function saveOutputs(client: ApiClient, job: JobView, folder: string, context: CliContext): Promise<void> {
  const playlist = packageKey(job.result);
  if (playlist !== undefined) return await savePackage(client, playlist, folder, context);
  const savings = outputKeys(job.result).map((key) => ({ key, folder, name: nameFor(key) }));
  await saveAll(client, savings, context, (path, name) => {
    const note = basename(path) === name ? "" : `, because ${name} is there already`;
    context.writeError(`${printableLine(`saved ${path}${note}`)}\n`);
  });
}

async function savePackage(client: ApiClient, playlist: string, folder: string, context: CliContext): Promise<void> {
  const prefix = playlist.slice(0, playlist.lastIndexOf("/") + 1);
  const savings = (await listKeys(client, prefix)).map((key): Saving => {
    const parts = key.slice(prefix.length).split("/").map(nameFor);
    return { key, folder: join(folder, ...parts.slice(0, -1)), name: parts.at(-1) as string };
  });
  for (const { folder: place, name } of savings) {
    const path = join(place, name);
    // Its files name each other: none can have another name.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) continue;
    throw new ReelmillError("OUTPUT_EXISTS", `${path} is there already; choose another folder or remove it.`);
  }
  for (const place of new Set(savings.map((saving) => saving.folder))) prepareFolder(place);
  await saveAll(client, savings, context, () => undefined);
  const files = `${savings.length} files`;
  context.writeError(`${printableLine(`saved ${join(folder, nameFor(playlist))} and what belongs to it, ${files}`)}\n`);
}

async function listKeys(client: ApiClient, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await client.ask(withQuery("/v1/objects", { prefix, limit: PAGE, after }), OBJECT_PAGE);
    keys.push(...page.value.objects.map(({ key }) => key).filter((key) => key.startsWith(prefix)));
    if (page.value.nextAfter === null) return keys;
    after = page.value.nextAfter;
  }
}

async function saveAll(
  client: ApiClient,
  savings: readonly Saving[],
  context: CliContext,
  onSaved: (path: string, name: string) => void,
): Promise<void> {
  for (const [index, { key, folder, name }] of savings.entries()) {
    const bar = createProgressBar(context, `[${index + 1}/${savings.length}] ${name.slice(0, 28)}`);
    try {
      const onProgress = (done: number, total: number): void => bar.update(total === 0 ? 1 : done / total);
      const path = await downloadObject(client, key, { folder, name }, context, onProgress);
      bar.clear();
      onSaved(path, name);
    } finally {
      bar.clear();
    }
  }
}
