import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeLeftovers, temporaryPathFor, workFolderPathFor } from "./leftovers.ts";
import { createPendingOutput } from "./pending-output.ts";
import { withWorkFolder } from "./work-folder.ts";

let folder: string;
let target: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-leftovers-"));
  target = join(folder, "holiday-2.mp4");
});

afterEach(() => rmSync(folder, { recursive: true }));

const MAKE = `
  const { mkdirSync, writeFileSync } = await import("node:fs");
  const { temporaryPathFor, workFolderPathFor } = await import(${JSON.stringify(new URL("./leftovers.ts", import.meta.url).href)});
  const target = process.argv[1];
  writeFileSync(temporaryPathFor(target), "half");
  const work = workFolderPathFor(target, "convert");
  mkdirSync(work);
  writeFileSync(work + "/span", "half");
  setInterval(() => {}, 1000);
  console.log("made");
`;

it("takes what a killed process left, and nothing while it lives", async () => {
  const other = spawn(process.execPath, ["--input-type=module", "--eval", MAKE, target], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(other.stdout, "data");
  expect(readdirSync(folder)).toHaveLength(2);
  removeLeftovers(target);
  expect(readdirSync(folder)).toHaveLength(2);
  other.kill("SIGKILL");
  await once(other, "exit");
  // Whatever is written next to them clears them away.
  createPendingOutput(join(folder, "another.mp4"));
  expect(readdirSync(folder)).toEqual([]);
});

it("leaves alone what this process makes, what another machine's does, and what only looks like it", async () => {
  const own = [temporaryPathFor(target), temporaryPathFor("/nowhere/x".concat("é".repeat(200)))];
  const foreign = [".a.mp4", ""].map(
    (name) => `${name}.reelmill-${name === "" ? "hls-" : ""}${"0".repeat(16)},1,1,${"1".repeat(16)}`,
  );
  const names = [
    ...own.map((path) => path.slice(path.lastIndexOf("/") + 1)),
    ...[`${foreign[0]}.part`, foreign[1] ?? ""],
    ...[
      ".reelmill-watch",
      ".reelmill-claims",
      ".reelmill-0123456789abcdef01234567.part",
      "holiday.mp4",
      ".a.reelmill-x.part",
    ],
  ];
  for (const name of names) writeFileSync(join(folder, name), "");
  mkdirSync(workFolderPathFor(target, "hls"));
  await withWorkFolder(target, "hls", async (work) => {
    removeLeftovers(target);
    expect(readdirSync(folder)).toHaveLength(names.length + 2);
    expect(readdirSync(work)).toEqual([]);
  });
  expect(readdirSync(folder)).toHaveLength(names.length + 1);
  expect(names.every((name) => Buffer.byteLength(name) <= 255)).toBe(true);
});

it("takes what nobody has changed for a day, whoever it was", () => {
  const token = `${"0".repeat(16)},1,1,${"1".repeat(16)}`;
  const paths = [".a.mp4.reelmill-%.part", ".reelmill-hls-%", ".reelmill-convert-%"].map((name) =>
    join(folder, name.replace("%", token)),
  );
  const [part = "", still = "", busy = ""] = paths;
  for (const path of [still, busy]) mkdirSync(path);
  for (const path of [part, join(still, "span"), join(busy, "span")]) writeFileSync(path, "");
  const longAgo = Date.now() / 1000 - 25 * 3600;
  for (const path of [part, join(still, "span"), still, busy]) utimesSync(path, longAgo, longAgo);
  removeLeftovers(target);
  expect(readdirSync(folder)).toEqual([busy.slice(folder.length + 1)]);
});

it("is silent about a folder that is not there", () => {
  removeLeftovers(join(folder, "gone", "a.mp4"));
  expect(readdirSync(folder)).toEqual([]);
});
