import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const DIGEST_DIGITS = 12;
/** Besides what the Dockerfile copies. */
const RECIPE = ["Dockerfile", ".dockerignore"];
/** As `.dockerignore` has it: none of these gets into an image. */
const LEFT_OUT = /(^|\/)(node_modules|dist)$|\.(test|fixture)\.ts$/;

/**
 * The tag for an image of the checkout: `<version>-<digits>`, the same for the same sources and another one for others. Tags in the registry are never
 * given twice.
 */
export function imageTagOf(root: string): string {
  const hash = createHash("sha256");
  for (const path of listCopied(root)) {
    const bytes = readFileSync(join(root, path));
    const isProgram = (statSync(join(root, path)).mode & 0o111) !== 0;
    hash.update(`${JSON.stringify([path, isProgram, bytes.length])}\n`).update(bytes);
  }
  // Of the package itself, checked by nobody but npm.
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
  return `${version}-${hash.digest("hex").slice(0, DIGEST_DIGITS)}`;
}

/** What is let into the build by `.dockerignore`, which begins with leaving out everything. */
function listCopied(root: string): readonly string[] {
  const allowed = readFileSync(join(root, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  return [...RECIPE, ...allowed].flatMap((path) => listFiles(root, path)).toSorted();
}

function listFiles(root: string, path: string): readonly string[] {
  if (LEFT_OUT.test(path)) return [];
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => listFiles(root, `${path}/${name}`));
}
