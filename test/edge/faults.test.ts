import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { RepairService } from "../../src/apps/edge/index.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import { hashOf } from "../e2e/workplace.fixture.ts";
import {
  copyRepair,
  createStillClock,
  createTestFolder,
  examineName,
  listAll,
  listLeftovers,
  pipelineRepair,
  stateOf,
} from "./edge.fixture.ts";
import { pass, prepareWatchPlace } from "./place.fixture.ts";

const place = prepareWatchPlace();
const { createEdge, put } = place;

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((settle) => setTimeout(settle, 20));
}

/** A repair that waits to be told how to end. */
function createHeldRepair() {
  const waiting: ((outcome: "work" | "fail") => void)[] = [];
  const repair: RepairService = {
    repair: async (request) => {
      const outcome = await new Promise<"work" | "fail">((settle) => {
        waiting.push(settle);
        request.signal.addEventListener("abort", () => settle("fail"));
      });
      if (outcome === "work") return await pipelineRepair.repair(request);
      return { status: "failed", error: { code: "NOTHING_RECOVERED", message: "Nothing was found." }, report: null };
    },
  };
  return { repair, waiting };
}

it("tries anew, under another key, what an earlier try with other settings stands in the way of", async () => {
  const clock = createStillClock();
  const keys: string[] = [];
  const repair: RepairService = {
    repair: (request) => {
      keys.push(request.key);
      if (keys.length > 1) return copyRepair.repair(request);
      return Promise.reject(new ReelmillError("IDEMPOTENCY_CONFLICT", "The key was used for another request."));
    },
  };
  const edge = createEdge({ minFileAgeMs: 0 }, { clock, repair, examine: examineName });
  put(place.recordings.damaged, "clip.mp4");
  await pass(edge);
  expect(listAll(join(place.root, "ready"))).toEqual(["clip.mp4"]);
  clock.time.monotonicMs += 3600_000;
  await pass(edge);
  expect(stateOf(edge.service.status(), "clip.mp4")).toBe("exported");
  expect(new Set(keys).size).toBe(2);
});

describe("a file that is being written", () => {
  const AGE = { minFileAgeMs: 60_000 };

  it("is not taken while it grows, and is taken when it has not for the time set", async () => {
    const clock = createStillClock();
    const whole = readFileSync(place.recordings.damaged);
    const path = join(place.root, "ready", "clip.mp4");
    put(place.recordings.reference, "healthy.mp4");
    const edge = createEdge(AGE, { clock });
    for (let share = 1; share <= 3; share++) {
      writeFileSync(path, whole.subarray(0, Math.floor((whole.length * share) / 3)));
      await pass(edge);
      clock.time.monotonicMs += 59_000;
      await pass(edge);
      expect(stateOf(edge.service.status(), "clip.mp4")).toBe("growing");
    }
    clock.time.monotonicMs += 1000;
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("exported");
  });

  it("is not taken while its size stands and its time moves, as where the space is reserved first", async () => {
    const clock = createStillClock();
    const path = put(place.recordings.damaged, "clip.mp4");
    const edge = createEdge(AGE, { clock });
    for (let minute = 1; minute <= 3; minute++) {
      utimesSync(path, minute, minute);
      await pass(edge);
      clock.time.monotonicMs += 60_000;
    }
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("growing");
  });

  it("is not taken while neither moves but its content does", async () => {
    const clock = createStillClock();
    const whole = readFileSync(place.recordings.damaged);
    const path = join(place.root, "ready", "clip.mp4");
    put(place.recordings.reference, "healthy.mp4");
    const edge = createEdge(AGE, { clock });
    writeFileSync(path, "");
    truncateSync(path, whole.length);
    for (let share = 1; share <= 3; share++) {
      writeFileSync(path, whole.subarray(0, Math.floor((whole.length * share) / 3)), { flag: "r+" });
      utimesSync(path, 1000, 1000);
      await pass(edge);
      clock.time.monotonicMs += 60_000;
      expect(stateOf(edge.service.status(), "clip.mp4")).toBe("growing");
    }
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("exported");
  });

  it("is neither taken early nor late when the wall clock jumps", async () => {
    const clock = createStillClock();
    put(place.recordings.indexCut, "clip.mp4");
    const edge = createEdge(AGE, { clock });
    await pass(edge);
    for (const jumpMs of [3_600_000, -7_200_000, 1e12]) {
      clock.time.nowMs += jumpMs;
      clock.time.monotonicMs += 10_000;
      await pass(edge);
      expect(stateOf(edge.service.status(), "clip.mp4")).toBe("growing");
    }
    clock.time.nowMs -= 1e12;
    clock.time.monotonicMs += 30_000;
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("exported");
  });

  it("is left alone where it changes while it is repaired, and taken again later", async () => {
    const path = put(place.recordings.indexCut, "clip.mp4");
    const { repair, waiting } = createHeldRepair();
    const edge = createEdge({}, { repair });
    await edge.service.scanNow();
    await until(() => waiting.length === 1);
    appendFileSync(path, Buffer.alloc(1000));
    waiting[0]?.("work");
    await edge.service.settled();
    expect(listAll(join(place.root, "export"))).toEqual([]);
    await edge.service.scanNow();
    await until(() => waiting.length === 2);
    waiting[1]?.("work");
    await edge.service.settled();
    expect(listAll(join(place.root, "export"))).toEqual(["clip.mp4"]);
    expect(hashOf(join(place.root, "originals", "clip.mp4"))).not.toBe(hashOf(place.recordings.indexCut));
  });
});

describe("a share that goes away", () => {
  it("pauses the watch, and a repair that failed meanwhile is not the file's failure", async () => {
    put(place.recordings.reference, "healthy.mp4");
    put(place.recordings.damaged, "clip.mp4");
    const { repair, waiting } = createHeldRepair();
    const edge = createEdge({}, { repair });
    edge.service.start();
    await until(() => waiting.length === 1);
    renameSync(place.root, `${place.root}-away`);
    await until(() => edge.service.status().isPaused);
    expect(edge.service.status().reason).toContain("is the share mounted?");
    expect(edge.service.health().status).toBe("paused");
    await expect(edge.service.repairNow("clip.mp4")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    waiting[0]?.("fail");
    await edge.service.settled();
    expect(existsSync(place.root)).toBe(false);
    renameSync(`${place.root}-away`, place.root);
    await until(() => waiting.length === 2);
    waiting[1]?.("work");
    await until(() => stateOf(edge.service.status(), "clip.mp4") === "exported");
    await edge.service.stop();
    expect(listAll(place.root)).toEqual([
      ".reelmill-watch",
      "export/clip.mp4",
      "originals/clip.mp4",
      "originals/clip.mp4.report.json",
      "ready/healthy.mp4",
    ]);
    expect(edge.service.stats()).toMatchObject({ quarantined: 0, pauses: 1 });
  });

  it("is not taken for an empty one where its mount point stays, not even after a restart", async () => {
    put(place.recordings.reference, "healthy.mp4");
    const memoryFile = join(place.folder.path, "memory");
    const edge = createEdge({}, { memoryFile });
    await pass(edge);
    renameSync(place.root, `${place.root}-away`);
    mkdirSync(place.root);
    for (const later of [edge, createEdge({}, { memoryFile })]) {
      const status = await later.service.scanNow();
      expect(status).toMatchObject({ isPaused: true, reason: expect.stringContaining("nothing of what was in it") });
    }
    expect(readdirSync(place.root)).toEqual([]);
    rmSync(place.root, { recursive: true });
    const status = await createEdge({}, { memoryFile }).service.scanNow();
    expect(status).toMatchObject({ isPaused: true, reason: expect.stringContaining("does not exist") });
    renameSync(`${place.root}-away`, place.root);
    expect(await edge.service.scanNow()).toMatchObject({ isPaused: false, currentReference: "healthy.mp4" });
  });

  it("makes a folder that was named and has never been there, but none that the environment names", async () => {
    rmSync(place.root, { recursive: true });
    expect(await createEdge({ makesRoot: false }).service.scanNow()).toMatchObject({ isPaused: true });
    expect(existsSync(place.root)).toBe(false);
    expect(await createEdge().service.scanNow()).toMatchObject({ isPaused: false });
    expect(readdirSync(place.root).sort()).toEqual([
      ".reelmill-claims",
      ".reelmill-watch",
      "export",
      "originals",
      "quarantine",
      "ready",
    ]);
  });
});

describe("other disks", () => {
  it.runIf(existsSync("/dev/shm"))("take the repaired file, the original and the report", async () => {
    const other = createTestFolder("/dev/shm");
    place.cleanups.push(other.remove);
    put(place.recordings.reference, "healthy.mp4");
    put(place.recordings.damaged, "clip.mp4");
    writeFileSync(join(place.root, "ready", "noise.mp4"), Buffer.alloc(50_000, "no recording "));
    const at = (name: string): string => join(other.path, name);
    const folders = { exportFolder: at("e"), quarantineFolder: at("q"), originalsFolder: at("o") };
    await pass(createEdge(folders));
    expect(listAll(other.path)).toEqual([
      "e/clip.mp4",
      "o/clip.mp4",
      "o/clip.mp4.report.json",
      "q/noise.mp4",
      "q/noise.mp4.report.json",
    ]);
    expect(hashOf(at("o/clip.mp4"))).toBe(hashOf(place.recordings.damaged));
    expect(listAll(place.root)).toEqual([".reelmill-watch", "ready/healthy.mp4"]);
  });

  const canMount = ((): boolean => {
    const place = createTestFolder();
    try {
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", place.path], { stdio: "ignore" });
      execFileSync("umount", [place.path]);
      return true;
    } catch {
      // Only root may, and not in every container.
      return false;
    } finally {
      place.remove();
    }
  })();

  function mountTmpfs(options: string): string {
    const path = join(place.folder.path, "small");
    mkdirSync(path);
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
    place.cleanups.push(() => execFileSync("umount", ["-l", path]));
    return path;
  }

  it.runIf(canMount).each([
    ["exportFolder", "the repaired file"],
    ["originalsFolder", "the original"],
  ] as const)("that are full (%s) put %s off; it is done when there is room", async (name, _what) => {
    put(place.recordings.reference, "healthy.mp4");
    put(place.recordings.damaged, "clip.mp4");
    const small = mountTmpfs("size=200k");
    const target = join(small, "folder");
    const filler = join(small, "filler");
    writeFileSync(filler, Buffer.alloc(150_000));
    const clock = createStillClock();
    const edge = createEdge({ [name]: target }, { clock });
    await pass(edge);
    expect(edge.service.status().knownFiles.find((file) => file.name === "clip.mp4")).toMatchObject({
      state: "stable",
      error: { code: "NO_SPACE" },
    });
    expect(edge.service.status().fault).toContain("clip.mp4 was put off: ");
    expect(edge.service.health().status).toBe("degraded");
    expect(listAll(join(place.root, "ready"))).toEqual(["clip.mp4", "healthy.mp4"]);
    expect(listAll(target)).toEqual([]);
    rmSync(filler);
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("stable");
    clock.time.monotonicMs += 60_000;
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("exported");
    expect(edge.service.health().status).toBe("healthy");
    const { exportFolder, originalsFolder } = edge.settings;
    expect(listAll(exportFolder)).toEqual(["clip.mp4"]);
    expect(listAll(originalsFolder)).toEqual(["clip.mp4", "clip.mp4.report.json"]);
    expect(listLeftovers(place.root)).toEqual([]);
  });

  it.runIf(canMount)("that may not be written to put the file off, too", async () => {
    put(place.recordings.reference, "healthy.mp4");
    put(place.recordings.damaged, "clip.mp4");
    const exportFolder = mountTmpfs("size=1m");
    execFileSync("mount", ["-o", "remount,ro", exportFolder]);
    const clock = createStillClock();
    const edge = createEdge({ exportFolder }, { clock });
    await edge.service.scanNow();
    const fault = expect.stringMatching(/^Nothing can be exported: .*read-only/);
    expect(edge.service.status()).toMatchObject({ isPaused: false, fault });
    await pass(edge);
    expect(edge.service.health().status).toBe("degraded");
    expect(edge.service.status().knownFiles.find((file) => file.name === "clip.mp4")).toMatchObject({
      state: "stable",
      error: { code: "OUTPUT_UNWRITABLE" },
    });
    execFileSync("mount", ["-o", "remount,rw", exportFolder]);
    await pass(edge);
    expect(listAll(exportFolder)).toEqual(["clip.mp4"]);
    expect(edge.service.health().status).toBe("healthy");
    expect(edge.logged.filter((line) => line.includes("Nothing can be exported"))).toHaveLength(1);
  });
});

describe("two services on one share", () => {
  it("never work on the same file", async () => {
    put(place.recordings.reference, "healthy.mp4");
    const names = Array.from({ length: 8 }, (_, index) => `clip${index}.mp4`);
    for (const name of names) put(place.recordings.damaged, name);
    const worked: string[] = [];
    const repair: RepairService = {
      repair: (request) => {
        worked.push(request.input);
        return pipelineRepair.repair(request);
      },
    };
    const edges = [createEdge({}, { repair }), createEdge({}, { repair })];
    for (const { service } of edges) service.start();
    await until(() => edges.reduce((sum, { service }) => sum + service.stats().exported, 0) === names.length);
    for (const { service } of edges) await service.stop();
    expect(worked.sort()).toEqual(names.map((name) => join(place.root, "ready", name)));
    expect(listAll(join(place.root, "export"))).toEqual(names);
    expect(listLeftovers(place.root)).toEqual([]);
  });

  it("bring to its end what the other one had in hand when it was switched off, however rare the scans", async () => {
    const path = put(place.recordings.indexCut, "clip.mp4");
    const { settings } = createEdge();
    const { repair, waiting } = createHeldRepair();
    await createEdge({}, { repair }).service.scanNow();
    await until(() => waiting.length === 1);
    // As if it had been switched off: what it holds shows no sign of life any more.
    const [lock] = readdirSync(settings.claimsFolder);
    writeFileSync(
      join(settings.claimsFolder, lock ?? ""),
      JSON.stringify({ name: "clip.mp4", holder: "x", token: "x" }),
    );
    const edge = createEdge({ leaseMs: 200, scanIntervalMs: 3_600_000 }, { repair: copyRepair });
    edge.service.start();
    await until(() => edge.service.stats().exported === 1);
    expect(existsSync(path)).toBe(false);
    expect(listAll(join(place.root, "export"))).toEqual(["clip.mp4"]);
  });

  it("show what the other one has in hand", async () => {
    put(place.recordings.indexCut, "clip.mp4");
    const { repair, waiting } = createHeldRepair();
    const [first, second] = [createEdge({}, { repair }), createEdge()];
    await first.service.scanNow();
    await until(() => waiting.length === 1);
    await pass(second);
    expect(second.service.status().knownFiles).toMatchObject([{ state: "queued", heldBy: expect.any(String) }]);
    waiting[0]?.("work");
    await first.service.settled();
    await pass(second);
    expect(second.service.status().knownFiles).toEqual([]);
  });
});

const ROUNDS = 20;
const PROCESS = fileURLToPath(new URL("edge-process.fixture.ts", import.meta.url));

describe("a service that is killed", () => {
  it(`leaves nothing half done, ${ROUNDS} times`, async () => {
    // The share on one disk, the originals on another: in memory, where that can be had, because much is flushed.
    const other = place.folder;
    const share = createTestFolder(existsSync("/dev/shm") ? "/dev/shm" : undefined);
    place.cleanups.push(share.remove);
    place.root = share.path;
    mkdirSync(join(place.root, "ready"));
    put(place.recordings.reference, "healthy.mp4");
    const originals = new Map<string, string>();
    let count = 0;
    const add = (howMany: number): void => {
      for (let index = 0; index < howMany; index++) {
        const name = `clip${String(count++).padStart(3, "0")}.mp4`;
        const path = put(place.recordings.damaged, name);
        appendFileSync(path, name);
        originals.set(name, hashOf(path));
      }
    };
    const begin = async (round: number): Promise<ChildProcess> => {
      const kind = round % 3 === 0 ? "pipeline" : "copy";
      const child = spawn(process.execPath, [PROCESS, place.root, join(other.path, "originals"), kind], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      place.cleanups.push(() => child.kill("SIGKILL"));
      await once(child.stdout, "data");
      return child;
    };
    let child = await begin(0);
    let hits = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const next = await begin(round);
      add(5);
      // Both go for the new files; one is killed on the way.
      await new Promise((settle) => setTimeout(settle, Math.random() * 250));
      child.kill("SIGKILL");
      await once(child, "close");
      if (readdirSync(join(place.root, ".reelmill-claims")).length > 0) hits += 1;
      child = next;
    }
    child.kill("SIGKILL");
    await once(child, "close");
    expect(hits).toBeGreaterThan(0);
    const edge = createEdge(
      { originalsFolder: join(other.path, "originals") },
      { repair: copyRepair, examine: examineName },
    );
    edge.service.start();
    await until(() => listAll(join(place.root, "ready")).length === 1 && listLeftovers(place.root).length === 0);
    await edge.service.stop();
    const names = [...originals.keys()];
    expect(listAll(join(place.root, "export"))).toEqual(names);
    expect(listAll(join(other.path, "originals"))).toEqual(names.flatMap((name) => [name, `${name}.report.json`]));
    for (const [name, hash] of originals) expect(hashOf(join(other.path, "originals", name))).toBe(hash);
    expect(listAll(join(place.root, "quarantine"))).toEqual([]);
    expect(listLeftovers(place.root)).toEqual([]);
  });
});
