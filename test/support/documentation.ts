import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, as a path that ends in a separator. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const SKIPPED = new Set(["node_modules", "dist", "out"]);

/** Markdown files below `folder` by their path from the root; folders that hold no sources are left out. */
export function listPages(folder = ""): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : listPages(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** A page's text, by its path from the root. */
export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The lines of a page's shell blocks, prompts and comments taken off. */
export function listCommands(path: string): readonly string[] {
  const blocks = [...readPage(path).matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
  return blocks
    .join("\n")
    .split("\n")
    .map((line) =>
      line
        .replace(/^\$ /, "")
        .replace(/\s+#.*$/, "")
        .trim(),
    )
    .filter((line) => line !== "" && !line.startsWith("#"));
}
