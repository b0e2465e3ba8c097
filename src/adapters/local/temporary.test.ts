import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lutimesSync, readdirSync, utimesSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLocalObjectStore, type LocalObjectStore } from "./object-store.ts";

let folder: string;
let root: string;
let temporary: string;
let store: LocalObjectStore;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reelmill-sweep-"));
  root = join(folder, "objects");
  temporary = join(root, ".reelmill-tmp");
  await mkdir(join(folder, "share"));
  store = createLocalObjectStore({ root, mounts: { watch: join(folder, "share") } });
});

afterEach(async () => {
  child?.kill("SIGKILL");
  child = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** A process that has begun to write two objects and does not end. */
async function startWriter(): Promise<ChildProcess> {
  const script = `
    const { createLocalObjectStore } = await import(${JSON.stringify(new URL("./object-store.ts", import.meta.url).href)});
    const store = createLocalObjectStore(${JSON.stringify({ root, mounts: { watch: join(folder, "share") } })});
    let begun = 0;
    const begin = () => {
      begun += 1;
      if (begun === 2) console.log("writing");
      return new Promise(() => {});
    };
    async function* half() {
      yield new Uint8Array(1000);
      await begin();
    }
    setInterval(() => {}, 1000);
    await Promise.all([store.put("a", half()), store.withLocalOutput("watch/b", begin)]);
  `;
  const writer = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = writer;
  await once(writer.stdout, "data");
  return writer;
}

const leftIn = (base: string): readonly string[] => readdirSync(join(folder, base, ".reelmill-tmp"));

describe("sweepTemporary", () => {
  it("has nothing to do on a new store", async () => {
    await store.sweepTemporary();
    expect(existsSync(temporary)).toBe(false);
  });

  it("leaves what this process is writing", async () => {
    await store.withLocalOutput("k", async (path) => {
      await writeFile(path, "content");
      await store.sweepTemporary();
      expect(existsSync(path)).toBe(true);
    });
    expect(await store.head("k")).toMatchObject({ bytes: 7 });
  });

  it("leaves what a living process writes, and takes it once that is dead", async () => {
    const writer = await startWriter();
    await store.sweepTemporary();
    expect([leftIn("objects").length, leftIn("share").length]).toEqual([1, 1]);
    const ended = once(writer, "exit");
    writer.kill("SIGKILL");
    await ended;
    await store.sweepTemporary();
    expect([leftIn("objects"), leftIn("share")]).toEqual([[], []]);
    expect(await store.list("", { limit: 10 })).toEqual([]);
  });

  it("takes what a process of a number used again left", async () => {
    const writer = await startWriter();
    const [token = ""] = leftIn("objects");
    const [machine, pid, startTicks, random] = token.split(",");
    expect(pid).toBe(`${writer.pid}`);
    if (startTicks === "") return;
    const earlier = [machine, pid, "1", random].join(",");
    const ownEarlier = [machine, process.pid, "1", random].join(",");
    await mkdir(join(temporary, earlier));
    await mkdir(join(temporary, ownEarlier));
    await store.sweepTemporary();
    expect(leftIn("objects")).toEqual([token]);
  });

  it.each(["0123456789abcdef,1,1,0123456789abcdef", "0123456789abcdef,99999999,,0123456789abcdef", "something"])(
    "takes what another machine left as %j after 24 hours without a change",
    async (name) => {
      const token = join(temporary, name);
      const inner = join(token, "inner", "k");
      await mkdir(join(token, "inner"), { recursive: true });
      await writeFile(inner, "x");
      const at = (hours: number): Date => new Date(Date.now() - hours * 3600 * 1000);
      const age = (folderHours: number, fileHours: number): void => {
        utimesSync(inner, at(fileHours), at(fileHours));
        for (const path of [join(token, "inner"), token]) utimesSync(path, at(folderHours), at(folderHours));
      };
      for (const [folderHours, fileHours] of [
        [1, 1],
        [23, 23],
        [48, 1],
        [1, 48],
      ] as const) {
        age(folderHours, fileHours);
        await store.sweepTemporary();
        expect(existsSync(inner)).toBe(true);
      }
      age(25, 25);
      await store.sweepTemporary();
      expect(leftIn("objects")).toEqual([]);
    },
  );

  it("takes links, but nothing that they lead to", async () => {
    const outside = join(folder, "outside");
    const old = new Date(0);
    await mkdir(outside);
    await writeFile(join(outside, "k"), "x");
    await mkdir(join(temporary, "token"), { recursive: true });
    for (const path of [join(temporary, "link"), join(temporary, "token", "link")]) {
      await symlink(outside, path);
      lutimesSync(path, old, old);
    }
    utimesSync(join(temporary, "token"), old, old);
    await store.sweepTemporary();
    expect(leftIn("objects")).toEqual([]);
    await rm(temporary, { recursive: true });
    await symlink(outside, temporary);
    await expect(store.sweepTemporary()).rejects.toThrow(expect.objectContaining({ code: "OBJECT_KEY_INVALID" }));
    expect(readdirSync(outside)).toEqual(["k"]);
  });

  it("sweeps the rest where a share is away", async () => {
    const writer = await startWriter();
    const ended = once(writer, "exit");
    writer.kill("SIGKILL");
    await ended;
    await rm(join(folder, "share"), { recursive: true });
    await expect(store.sweepTemporary()).rejects.toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
    expect(leftIn("objects")).toEqual([]);
  });
});
