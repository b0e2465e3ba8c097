import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { renderReferencePages } from "../scripts/reference-pages.ts";
import { createProgram } from "../src/apps/cli/program.ts";
import { createRecordingContext } from "../src/apps/cli/recording-context.fixture.ts";
import { listCommands, listPages, ROOT, readPage } from "./support/documentation.ts";

const PAGES = listPages();

const COMMANDS = PAGES.flatMap((path) => listCommands(path).map((command) => [path, command] as const));

/** Whether a documented command is one that the package or the command line has, with options that exist. */
function isKnown(command: string): boolean {
  const words = command.split(/\s+/);
  const [program, name] = words;
  const scripts: Readonly<Record<string, string>> = JSON.parse(readPage("package.json")).scripts;
  if (program === "npm" && name === "run") return Object.hasOwn(scripts, words[2] ?? "");
  if (program === "npm") return name === "ci" || Object.hasOwn(scripts, name ?? "");
  // The rest of the runbook is run by its own test.
  if (["git", "cd", "cp", "du"].includes(program ?? "")) return true;
  if (program === "node") return name !== undefined && existsSync(join(ROOT, name));
  if (program === ".ci/run") return existsSync(join(ROOT, ".ci", "run"));
  if (program !== "./reelmill" && program !== "reelmill") return false;
  const found = findCommand(
    createProgram("0", createRecordingContext(), () => undefined),
    words.slice(1),
  );
  const options = words.filter((word) => /^--?[a-z]/.test(word));
  return (
    found !== undefined &&
    options.every((word) => found.options.some((option) => option.short === word || option.long === word))
  );
}

/** The command that words begin with, such as `jobs list`; undefined where there is none, or only its group is named. */
function findCommand(group: Command, [name, ...rest]: readonly string[]): Command | undefined {
  const found = group.commands.find((candidate) => candidate.name() === name);
  if (found === undefined || found.commands.length === 0) return found;
  // A command with commands of its own may do something itself, too, as `hls` does.
  return findCommand(found, rest) ?? (found.registeredArguments.length > 0 ? found : undefined);
}

describe("the documentation", () => {
  it.each([...renderReferencePages()])("%s is up to date (npm run docs)", (path, text) => {
    expect(readPage(path)).toBe(text);
  });

  it.each(COMMANDS)("%s shows a command that exists: %s", (_path, command) => {
    expect(isKnown(command)).toBe(true);
  });

  it.each(PAGES)("%s links to files that exist", (path) => {
    const targets = [...readPage(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1] ?? "");
    const missing = targets.filter((target) => !existsSync(join(ROOT, dirname(path), target)));
    expect(missing).toEqual([]);
  });

  it("has an entry in the changelog for what is not released yet, or for the package's version", () => {
    const version = String(JSON.parse(readPage("package.json")).version).replaceAll(".", "\\.");
    expect(readPage("CHANGELOG.md")).toMatch(new RegExp(`^## (Unreleased|${version})$`, "m"));
  });
});
