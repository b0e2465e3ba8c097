import { lstatSync, rmSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import { printableLine } from "../../../base/printable.ts";
import type { CliContext } from "../cli-context.ts";
import type { ApiClient } from "../client/api-client.ts";
import { downloadObject, nameFor } from "../client/download.ts";
import { objectPath, withQuery } from "../client/paths.ts";
import { type JobView, OBJECT_PAGE } from "../client/views.ts";
import { createProgressBar } from "../progress-bar.ts";
import { conversionOf, outputKeys, packageKey } from "./job-text.ts";
import { makeFolders, removeEmptyFolders } from "./output-folder.ts";

const PAGE = "1000";

interface Saving {
  readonly key: string;
  readonly folder: string;
  readonly name: string;
}

/**
 * Saves what a job made in a folder: files each under a free name, an HLS package whole, as it lies on the server. The folder is made for what is
 * saved alone. Throws OUTPUT_EXISTS where a file of a package is there already, and what `downloadObject` throws, with where the outputs are.
 */
export async function saveOutputs(client: ApiClient, job: JobView, folder: string, context: CliContext): Promise<void> {
  const playlist = packageKey(job.result);
  const keys = playlist === undefined ? outputKeys(job.result) : [playlist];
  if (keys.length === 0) return;
  const addresses = keys.map((key) => `${client.server}${objectPath(key)}`);
  try {
    if (playlist === undefined) await saveFiles(client, job, keys, folder, context);
    else await savePackage(client, playlist, folder, context);
  } catch (error) {
    if (!(error instanceof ReelmillError)) throw error;
    throw new ReelmillError(error.code, `${error.message} ${describeRest(job.id, addresses)}`, { cause: error });
  }
}

/** Where what could not be saved is still to be had. */
function describeRest(id: string, addresses: readonly string[]): string {
  const [first = "", ...others] = addresses;
  const more = others.length === 0 ? "" : ` (and ${others.length} more, which \`reelmill jobs show ${id}\` names)`;
  return `What the job ${id} made is on the server: ${first}${more}.`;
}

/** All conversions are called the same on the server; of many jobs' nobody could tell which is which. */
const OWN_NAME = /^output(\.[a-z\d]+)$/;

/** As `reelmill convert` would call it, where the server has no name for a file. */
function fileNameFor(key: string, { params }: JobView): string {
  const name = nameFor(key);
  const [, extension] = OWN_NAME.exec(name) ?? [];
  const wish = conversionOf(params);
  if (extension === undefined || wish === undefined) return name;
  const source = nameFor(wish.input);
  return nameFor(`${source.slice(0, source.length - extname(source).length)}_${wish.to}${extension}`);
}

async function saveFiles(
  client: ApiClient,
  job: JobView,
  keys: readonly string[],
  folder: string,
  context: CliContext,
): Promise<void> {
  const savings = keys.map((key) => ({ key, folder, name: fileNameFor(key, job) }));
  const made = makeFolders([folder]);
  try {
    await saveAll(client, savings, context, (path, name) => {
      const note = basename(path) === name ? "" : `, because ${name} is there already`;
      context.writeError(`${printableLine(`saved ${path}${note}`)}\n`);
    });
  } catch (error) {
    removeEmptyFolders(made);
    throw error;
  }
}

async function savePackage(client: ApiClient, playlist: string, folder: string, context: CliContext): Promise<void> {
  const prefix = playlist.slice(0, playlist.lastIndexOf("/") + 1);
  const savings = (await listKeys(client, prefix)).map((key): Saving => {
    const parts = key.slice(prefix.length).split("/").map(nameFor);
    return { key, folder: join(folder, ...parts.slice(0, -1)), name: parts.at(-1) as string };
  });
  for (const { folder: place, name } of savings) {
    if (lstatSync(join(place, name), { throwIfNoEntry: false }) !== undefined) throw isThere(join(place, name));
  }
  const made = makeFolders(new Set(savings.map((saving) => saving.folder)));
  const saved: string[] = [];
  try {
    await saveAll(client, savings, context, (path, name) => {
      saved.push(path);
      if (basename(path) !== name) throw isThere(join(dirname(path), name));
    });
  } catch (error) {
    // Part of a package is none.
    for (const path of saved) rmSync(path, { force: true });
    removeEmptyFolders(made);
    throw error;
  }
  const files = `${savings.length} files`;
  context.writeError(`${printableLine(`saved ${join(folder, nameFor(playlist))} and what belongs to it, ${files}`)}\n`);
}

/** Files of a package name each other: none can have another name. */
function isThere(path: string): ReelmillError {
  return new ReelmillError("OUTPUT_EXISTS", `${path} is there already; a package needs a folder of its own.`);
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
