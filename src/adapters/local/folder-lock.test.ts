import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockFolder } from "./folder-lock.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("gives a folder to one alone, until it is released", () => {
  const lock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(expect.objectContaining({ code: "DATA_FOLDER_IN_USE" }));
  lock.release();
  lockFolder(folder).release();
});

it("ends with the process that holds it, however that ends", async () => {
  const module = JSON.stringify(new URL("./folder-lock.ts", import.meta.url).href);
  const code = `
    const { lockFolder } = await import(${module});
    globalThis.lock = lockFolder(${JSON.stringify(folder)});
    console.log("held");
    setInterval(() => undefined, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => holder.once("close", resolve));
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  expect(() => lockFolder(folder)).toThrow(expect.objectContaining({ code: "DATA_FOLDER_IN_USE" }));
  holder.kill("SIGKILL");
  await ended;
  lockFolder(folder).release();
});

it("says what keeps a folder from being locked", () => {
  expect(() => lockFolder(join(folder, "missing"))).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
});
