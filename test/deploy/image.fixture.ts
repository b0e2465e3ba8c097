import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, matchesGlob, relative } from "node:path";
import { ROOT, readPage } from "../support/documentation.ts";

/** An instruction of the Dockerfile, lines that go on joined. */
export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** One stage of the Dockerfile: its name, undefined for the image itself, and what comes after its FROM. */
export interface Stage {
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The text of the recipe. */
export const dockerfile = readPage("Dockerfile");

/** All instructions of all stages, in order. */
export const instructions: readonly Instruction[] = dockerfile
  .replaceAll(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => /^[A-Z]/.test(line))
  .map((line) => ({ name: line.slice(0, line.indexOf(" ")), rest: line.slice(line.indexOf(" ") + 1) }));

/** The stages, in order; the last one is the image. */
export const stages: readonly Stage[] = instructions.flatMap(({ name, rest }, index) => {
  if (name !== "FROM") return [];
  const after = instructions.slice(index + 1);
  const end = after.findIndex((each) => each.name === "FROM");
  return [{ name: / AS (.+)$/.exec(rest)?.[1], instructions: end === -1 ? after : after.slice(0, end) }];
});

/** What a COPY brings, from where: another stage, or undefined for the checkout. */
export interface Copy {
  readonly from: string | undefined;
  readonly sources: readonly string[];
  /** As written, relative to the stage's folder or absolute; ends in a slash where it is a folder. */
  readonly into: string;
}

/** A COPY's words. */
export function readCopy({ rest }: Instruction): Copy {
  const [, from, paths = ""] = /^(?:--from=(\S+) )?(.*)$/.exec(rest) ?? [];
  const words = paths.split(" ");
  return { from, sources: words.slice(0, -1), into: words.at(-1) ?? "" };
}

const IGNORING = readPage(".dockerignore")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

/** Whether `.dockerignore`, which begins with keeping out everything, lets a path in: the last line that fits it or a folder that it is in decides. */
export function isLetIn(path: string): boolean {
  const folders = path.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
  const last = IGNORING.findLast((line) => folders.some((each) => matchesGlob(each, line.replace(/^!/, ""))));
  return last?.startsWith("!") ?? false;
}

/** Does what the instruction does, from the checkout, in the folder that stands for the stage's. Throws where a source is missing or kept out. */
export function copyFromCheckout({ sources, into }: Copy, folder: string): void {
  for (const source of sources) {
    if (!isLetIn(source)) throw new Error(`.dockerignore keeps out ${source}.`);
    const target = into.endsWith("/")
      ? join(folder, into, source.slice(source.lastIndexOf("/") + 1))
      : join(folder, into);
    cpSync(join(ROOT, source), target, { recursive: true, filter: (path) => isLetIn(relative(ROOT, path)) });
  }
}

/** Puts this checkout's packages there as the image has them: those of production alone. */
export function linkPackages(folder: string): void {
  const lock = JSON.parse(readPage("package-lock.json")) as { packages: Readonly<Record<string, LockedPackage>> };
  for (const [path, { dev, optional, devOptional, link }] of Object.entries(lock.packages)) {
    const isLeftOut = dev || optional || devOptional || link;
    // Those within another's folder come with it.
    if (isLeftOut || !/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path)) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(folder, path));
  }
}

/** As far as it is looked at here. */
interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
}
