import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Setting } from "../contestant.ts";

/** Loads a package from where the benchmark installed it; its shape is the caller's word. */
export async function loadPackage<T>({ packages }: Setting, name: string): Promise<T> {
  const entry = createRequire(join(packages, "package.json")).resolve(name);
  return (await import(pathToFileURL(entry).href)) as T;
}
