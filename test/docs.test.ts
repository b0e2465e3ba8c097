import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { renderReferencePages } from "../scripts/reference-pages.ts";
import { createProgram } from "../src/apps/cli/program.ts";
import { createRecordingContext } from "../src/apps/cli/recording-context.fixture.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

const SKIPPED = new Set(["node_modules", "dist", "out"]);

/** Markdown files of the tree by their path from its root; folders that hold no sources are left out. */
function listPages(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : listPages(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

const PAGES = listPages("");

/** The lines of the shell blocks of a page, prompts and comments taken off. */
function commandsOf(page: string): readonly string[] {
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
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

const COMMANDS = PAGES.flatMap((path) => commandsOf(read(path)).map((command) => [path, command] as const));

/** Whether a documented command is one that the package or the command line has, with options that exist. */
function isKnown(command: string): boolean {
  const words = command.split(/\s+/);
  const [program, name] = words;
  const scripts: Readonly<Record<string, string>> = JSON.parse(read("package.json")).scripts;
  if (program === "npm" && name === "run") return Object.hasOwn(scripts, words[2] ?? "");
  if (program === "npm") return name === "test" || name === "ci";
  if (program === "git" || program === "cd") return true;
  if (program === ".ci/run") return existsSync(join(ROOT, ".ci", "run"));
  if (program !== "./reelmill" && program !== "reelmill") return false;
  const found = createProgram("0", createRecordingContext(), () => undefined).commands.find(
    (candidate) => candidate.name() === name,
  );
  const options = words.filter((word) => /^--?[a-z]/.test(word));
  return (
    found !== undefined &&
    options.every((word) => found.options.some((option) => option.short === word || option.long === word))
  );
}

describe("the documentation", () => {
  it.each([...renderReferencePages()])("%s is up to date (npm run docs)", (path, text) => {
    expect(read(path)).toBe(text);
  });

  it.each(COMMANDS)("%s shows a command that exists: %s", (_path, command) => {
    expect(isKnown(command)).toBe(true);
  });

  it.each(PAGES)("%s links to files that exist", (path) => {
    const targets = [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1] ?? "");
    const missing = targets.filter((target) => !existsSync(join(ROOT, dirname(path), target)));
    expect(missing).toEqual([]);
  });

  it("has an entry in the changelog for the package's version", () => {
    expect(read("CHANGELOG.md")).toContain(`## ${JSON.parse(read("package.json")).version}`);
  });
});
