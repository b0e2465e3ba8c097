import { dirname, posix } from "node:path";
import { ReelmillError } from "../base/errors.ts";
import { createReplacer } from "../base/replace-texts.ts";
import type { ObjectStore } from "../jobs/object-store.ts";

/** Files and the keys of the objects they stand for. */
export type Paths = readonly { readonly key: string; readonly path: string }[];

/** Puts texts in other words. */
type Rewrite = (text: string) => string;

/** Lends all objects at once as files. */
export async function lendFiles<T>(
  objects: ObjectStore,
  keys: readonly string[],
  use: (paths: Paths) => Promise<T>,
  lent: Paths = [],
): Promise<T> {
  const [key, ...rest] = keys;
  if (key === undefined) return await use(lent);
  return await objects.withLocalFile(key, (path) => lendFiles(objects, rest, use, [...lent, { key, path }]));
}

/** Puts keys in the place of paths: users of a server do not know its folders, and should not. `adapt` sees the text first. */
export function createRewriter(paths: Paths, adapt: Rewrite = (text) => text): Rewrite {
  // Folders too, for what lies beside, such as an output under its temporary name.
  const folders = paths
    .map(({ key, path }) => ({ key: posix.dirname(key), path: dirname(path) }))
    .filter(({ path }) => path !== "/" && path !== ".");
  const replace = createReplacer(new Map([...folders, ...paths].map(({ key, path }) => [path, key])));
  return (text) => replace(adapt(text));
}

/** An error in terms of keys; what is none of ours stays as it is. */
export function errorWithKeys(error: unknown, paths: Paths, adapt?: Rewrite): unknown {
  if (!(error instanceof ReelmillError)) return error;
  const { code, problem, advice, details } = error;
  const rewrite = createRewriter(paths, adapt);
  const rest = { cause: error, advice: rewrite(advice), ...(details === undefined ? {} : { details }) };
  return new ReelmillError(code, rewrite(problem), rest);
}

/** Throws what `use` throws in terms of keys. */
export async function withKeys<T>(paths: Paths, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw errorWithKeys(error, paths);
  }
}
