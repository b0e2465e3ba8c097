import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { RepairService } from "../../src/apps/edge/index.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import { countPackets, hashOf } from "../e2e/workplace.fixture.ts";
import { copyRepair, createStillClock, listAll, listLeftovers, pipelineRepair, stateOf } from "./edge.fixture.ts";
import { pass, prepareWatchPlace } from "./place.fixture.ts";

const place = prepareWatchPlace();
const { createEdge, put } = place;

/** A repair whose outcome is always the same. */
function failing(code: "NOTHING_RECOVERED" | "OUTPUT_NOT_VERIFIED"): RepairService {
  return {
    repair: () => Promise.resolve({ status: "failed", error: { code, message: "No." }, report: { found: 1 } }),
  };
}

describe("a watch folder", () => {
  it("repairs what is damaged, keeps the original, and leaves the healthy file where it is", async () => {
    put(place.recordings.reference, "healthy.mp4");
    put(place.recordings.damaged, "CLIP.MP4");
    const original = hashOf(place.recordings.damaged);
    const edge = createEdge();
    await pass(edge);
    expect(listAll(place.root)).toEqual([
      ".reelmill-watch",
      "export/CLIP.MP4",
      "originals/CLIP.MP4",
      "originals/CLIP.MP4.report.json",
      "ready/healthy.mp4",
    ]);
    expect(countPackets(join(place.root, "export", "CLIP.MP4"))).toBeGreaterThan(50);
    expect(hashOf(join(place.root, "originals", "CLIP.MP4"))).toBe(original);
    expect(JSON.parse(readFileSync(join(place.root, "originals", "CLIP.MP4.report.json"), "utf8"))).toMatchObject({
      file: "CLIP.MP4",
      outcome: "repaired",
      repairedBy: "here",
      exportedAs: "CLIP.MP4",
      references: ["healthy.mp4"],
      report: { checks: expect.arrayContaining([expect.objectContaining({ status: "passed" })]) },
    });
    const status = edge.service.status();
    expect(status).toMatchObject({ currentReference: "healthy.mp4", counters: { exported: 1, quarantined: 0 } });
    expect([stateOf(status, "healthy.mp4"), stateOf(status, "CLIP.MP4")]).toEqual(["healthy", "exported"]);
    expect(edge.service.health()).toEqual({
      status: "healthy",
      scanner_running: false,
      known_files: 1,
      current_reference: "healthy.mp4",
    });
    expect(edge.service.stats().files).toEqual({ healthy: 1, exported: 1 });
  });

  it("repairs Matroska, too, and tries a file without a reference where it needs none", async () => {
    put(place.recordings.matroskaCut, "cut.mkv");
    put(place.recordings.indexCut, "front.mp4");
    await pass(createEdge());
    expect(readdirSync(join(place.root, "export")).sort()).toEqual(["cut.mkv", "front.mp4"]);
  });

  it("lets a file wait for its reference, and takes it up when one comes", async () => {
    put(place.recordings.damaged, "clip.mp4");
    const edge = createEdge();
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("waiting-for-reference");
    expect(edge.service.status().knownFiles[0]?.error?.message).toMatch(
      / Put a healthy recording of the same camera and settings into ready\/\.$/,
    );
    put(place.recordings.foreign, "other.mov");
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("waiting-for-reference");
    put(place.recordings.reference, "healthy.mp4");
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("exported");
    expect(listLeftovers(place.root)).toEqual([]);
  });

  it("chooses the smallest healthy recording as the reference, or the newest", async () => {
    put(place.recordings.reference, "small.mp4");
    const large = put(place.recordings.foreign, "large.mov");
    writeFileSync(
      large,
      Buffer.concat([readFileSync(large), boxOf("free", statSync(place.recordings.reference).size)]),
    );
    utimesSync(large, 2_000_000_000, 2_000_000_000);
    const references: Record<string, string | null> = {};
    for (const referenceStrategy of ["smallest", "newest"] as const) {
      const edge = createEdge({ referenceStrategy });
      references[referenceStrategy] = (await edge.service.scanNow()).currentReference;
    }
    expect(references).toEqual({ smallest: "small.mp4", newest: "large.mov" });
  });

  it("puts what cannot be repaired into quarantine, with a report", async () => {
    writeFileSync(join(place.root, "ready", "noise.mp4"), Buffer.alloc(50_000, "no recording "));
    put(place.recordings.reference, "healthy.mp4");
    const edge = createEdge();
    await pass(edge);
    expect(listAll(join(place.root, "quarantine"))).toEqual(["noise.mp4", "noise.mp4.report.json"]);
    const report = JSON.parse(readFileSync(join(place.root, "quarantine", "noise.mp4.report.json"), "utf8"));
    expect(report).toMatchObject({ outcome: "failed", repairedBy: null, error: { code: expect.any(String) } });
    expect(edge.service.status().knownFiles.find(({ name }) => name === "noise.mp4")).toMatchObject({
      state: "quarantined",
      placedAs: "noise.mp4",
      error: report.error,
    });
  });

  it("never replaces another file of the same name, in export/ or elsewhere", async () => {
    put(place.recordings.reference, "healthy.mp4");
    for (const name of ["export", "originals"]) mkdirSync(join(place.root, name));
    writeFileSync(join(place.root, "export", "clip.mp4"), "mine");
    writeFileSync(join(place.root, "originals", "clip.mp4.report.json"), "mine");
    put(place.recordings.damaged, "clip.mp4");
    await pass(createEdge());
    expect(listAll(join(place.root, "export"))).toEqual(["clip-2.mp4", "clip.mp4"]);
    expect(listAll(join(place.root, "originals"))).toEqual([
      "clip-2.mp4",
      "clip-2.mp4.report.json",
      "clip.mp4.report.json",
    ]);
    expect(readFileSync(join(place.root, "export", "clip.mp4"), "utf8")).toBe("mine");
  });

  it("does not look at temporary and hidden names, other extensions, folders and links", async () => {
    for (const name of ["a.mp4.part", "a.tmp", ".~a.mp4", "._a.mp4", ".a.mp4", "a.txt", "a.part"]) {
      put(place.recordings.damaged, name);
    }
    mkdirSync(join(place.root, "ready", "folder.mp4"));
    const { symlinkSync } = await import("node:fs");
    symlinkSync(place.recordings.damaged, join(place.root, "ready", "link.mp4"));
    const edge = createEdge();
    await pass(edge);
    expect(edge.service.status().knownFiles).toEqual([]);
    expect(readdirSync(join(place.root, "export"))).toEqual([]);
  });

  it("leaves a file that no job can name in ready/, says once why and what to do", async () => {
    put(place.recordings.reference, "a\nb.mp4");
    put(place.recordings.damaged, "esc\u001b[31m.mp4");
    put(place.recordings.damaged, "back\\slash.mp4");
    const notText = Buffer.concat([
      Buffer.from(join(place.root, "ready", "bad")),
      Buffer.of(0xff, 0xfe),
      Buffer.from(".mp4"),
    ]);
    copyFileSync(place.recordings.damaged, notText);
    const edge = createEdge();
    await pass(edge);
    await pass(edge);
    const { knownFiles, currentReference } = edge.service.status();
    expect(knownFiles.map(({ name, state, error }) => [name, state, error?.message ?? ""])).toEqual([
      ["a\nb.mp4", "misnamed", expect.stringContaining("it holds a control character. Rename the file")],
      ["back\\slash.mp4", "misnamed", expect.stringContaining("it holds a backslash. Rename the file")],
      ["bad\\xff\\xfe.mp4", "misnamed", expect.stringContaining("it is not in UTF-8. Rename the file")],
      ["esc\u001b[31m.mp4", "misnamed", expect.stringContaining('"esc\\u001b[31m.mp4" cannot be used')],
    ]);
    expect(currentReference).toBeNull();
    expect(edge.logged.filter((line) => line.includes("Not taken"))).toHaveLength(4);
    expect(existsSync(notText)).toBe(true);
    for (const name of ["a\nb.mp4", "bad\\xff\\xfe.mp4"]) {
      await expect(edge.service.repairNow(name)).rejects.toMatchObject({
        code: "PARAMS_INVALID",
        message: expect.stringContaining("Rename the file"),
      });
    }
    put(place.recordings.reference, "healthy.mp4");
    renameSync(notText, join(place.root, "ready", "clip.mp4"));
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("exported");
    expect(stateOf(edge.service.status(), "bad\\xff\\xfe.mp4")).toBeUndefined();
    expect(edge.service.status().currentReference).toBe("healthy.mp4");
  });

  it("repairs a file whose name is as long as a name may be", async () => {
    const [long, taken] = [`${"é".repeat(125)}x.mp4`, `${"y".repeat(251)}.mp4`];
    put(place.recordings.reference, "healthy.mp4");
    for (const name of [long, taken]) put(place.recordings.damaged, name);
    mkdirSync(join(place.root, "export"));
    writeFileSync(join(place.root, "export", taken), "mine");
    const edge = createEdge();
    await pass(edge);
    expect([stateOf(edge.service.status(), long), stateOf(edge.service.status(), taken)]).toEqual([
      "exported",
      "exported",
    ]);
    expect(readdirSync(join(place.root, "export")).sort()).toEqual([`${"y".repeat(249)}-2.mp4`, taken, long]);
    expect(readdirSync(join(place.root, "originals")).sort()).toHaveLength(4);
    expect(listLeftovers(place.root)).toEqual([]);
  });

  it("repairs no more files at a time than it may", async () => {
    for (const name of ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]) put(place.recordings.damaged, name);
    let running = 0;
    let most = 0;
    const repair: RepairService = {
      repair: async () => {
        running += 1;
        most = Math.max(most, running);
        // However slowly the others begin, and a while longer in case there is one too many.
        while (most < 3) await setImmediate();
        await setTimeout(5);
        running -= 1;
        return { status: "healthy", report: null };
      },
    };
    const edge = createEdge({ maxConcurrentJobs: 3 }, { repair });
    await pass(edge);
    expect(most).toBe(3);
    expect(edge.service.stats().files).toEqual({ healthy: 4 });
  });

  it("ends a repair that takes too long, and says so", async () => {
    put(place.recordings.damaged, "clip.mp4");
    const repair: RepairService = {
      repair: ({ signal, onProgress }) =>
        new Promise((_, fail) => {
          onProgress(0, "reading");
          signal.addEventListener("abort", () => fail(signal.reason));
        }),
    };
    const edge = createEdge({ repairTimeoutMs: 20 }, { repair });
    await pass(edge);
    const [file] = edge.service.status().knownFiles;
    expect(file).toMatchObject({ state: "quarantined", error: { code: "TASK_TIMEOUT" } });
  });

  it("does not count the time that a repair waits for its turn", async () => {
    put(place.recordings.indexCut, "clip.mp4");
    const repair: RepairService = {
      repair: async (request) => {
        await setTimeout(60);
        return await copyRepair.repair(request);
      },
    };
    const edge = createEdge({ repairTimeoutMs: 20 }, { repair });
    await pass(edge);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("exported");
  });

  it("shows a file as repaired only once the work on it has begun", async () => {
    put(place.recordings.damaged, "clip.mp4");
    const shown: (string | undefined)[] = [];
    const look = (): void => void shown.push(stateOf(edge.service.status(), "clip.mp4"));
    const repair: RepairService = {
      repair: ({ onJob, onProgress }) => {
        onJob("job-1");
        look();
        onProgress(0, "reading");
        look();
        return Promise.resolve({ status: "healthy", report: null });
      },
    };
    const edge = createEdge({}, { repair });
    await pass(edge);
    expect(shown).toEqual(["queued", "repairing"]);
  });

  it("asks for the same file with the same key after a restart, and with another one for another try", async () => {
    put(place.recordings.damaged, "clip.mp4");
    const keys: string[] = [];
    const repair: RepairService = {
      repair: ({ key, onJob }) => {
        keys.push(key);
        onJob(`job-${keys.length}`);
        return Promise.reject(new ReelmillError("STORE_UNAVAILABLE", "Not now."));
      },
    };
    const clock = createStillClock();
    for (const edge of [createEdge({}, { repair, clock }), createEdge({}, { repair, clock })]) {
      await pass(edge);
      expect(edge.service.status().knownFiles).toMatchObject([{ state: "stable", error: { message: "Not now." } }]);
      clock.time.monotonicMs += 1000;
      await pass(edge);
      expect(edge.service.status().knownFiles).toMatchObject([{ jobId: `job-${keys.length}` }]);
      expect(edge.logged.join()).toContain(`"job_id":"job-${keys.length}"`);
    }
    expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(keys.slice(2)).toEqual(keys.slice(0, 2));
    expect(keys[1]).not.toBe(keys[0]);
  });

  it("repairs one file by hand at once, and refuses names that are none", async () => {
    put(place.recordings.reference, "healthy.mp4");
    const clock = createStillClock();
    const edge = createEdge({ minFileAgeMs: 60_000 }, { clock });
    await edge.service.scanNow();
    clock.time.monotonicMs += 60_000;
    await edge.service.scanNow();
    put(place.recordings.damaged, "clip.mp4");
    await edge.service.repairNow("clip.mp4");
    await edge.service.settled();
    expect(existsSync(join(place.root, "export", "clip.mp4"))).toBe(true);
    for (const name of ["../ready/clip.mp4", "a\\..\\b.mp4", ".hidden.mp4", "clip.txt", ""]) {
      await expect(edge.service.repairNow(name)).rejects.toMatchObject({ code: "PARAMS_INVALID" });
    }
    await expect(edge.service.repairNow("gone.mp4")).rejects.toMatchObject({ code: "INPUT_NOT_FOUND" });
  });

  it("scans by itself once started, and leaves files where they are when stopped", async () => {
    put(place.recordings.damaged, "clip.mp4");
    let onBegin: () => void = () => undefined;
    const begun = new Promise<void>((settle) => {
      onBegin = settle;
    });
    const repair: RepairService = {
      repair: (request) => {
        request.onProgress(0, "reading");
        onBegin();
        return new Promise((_, fail) => {
          request.signal.addEventListener("abort", () => fail(new Error("ended")));
        });
      },
    };
    const edge = createEdge({}, { repair });
    edge.service.start();
    await begun;
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("repairing");
    await expect(edge.service.repairNow("clip.mp4")).rejects.toMatchObject({ code: "JOB_STATE" });
    await edge.service.stop();
    expect(listAll(join(place.root, "ready"))).toEqual(["clip.mp4"]);
    expect(listLeftovers(place.root)).toEqual([]);
  });

  it("hears of a new file before the next scan is due", async () => {
    const edge = createEdge({ scanIntervalMs: 3_600_000 }, { repair: copyRepair });
    edge.service.start();
    while (edge.service.stats().scans === 0) await setTimeout(5);
    put(place.recordings.indexCut, "clip.mp4");
    while (edge.service.stats().exported === 0) await setTimeout(20);
    expect(listAll(join(place.root, "export"))).toEqual(["clip.mp4"]);
  });

  it("tries again without the chosen reference where that does not fit", async () => {
    put(place.recordings.reference, "healthy.mp4");
    put(place.recordings.damaged, "clip.mp4");
    const asked: number[] = [];
    const repair: RepairService = {
      repair: (request) => {
        asked.push(request.references.length);
        return request.references.length > 0
          ? failing("NOTHING_RECOVERED").repair(request)
          : pipelineRepair.repair(request);
      },
    };
    const edge = createEdge({}, { repair });
    await pass(edge);
    expect(asked).toEqual([1, 0]);
    expect(stateOf(edge.service.status(), "clip.mp4")).toBe("exported");
  });
});

describe("the fallback", () => {
  it("repairs what could not be repaired here, and the report says so", async () => {
    put(place.recordings.damaged, "clip.mp4");
    const cloud: RepairService = {
      repair: ({ outputFolder }) => {
        const output = join(outputFolder, "back.mp4");
        copyFileSync(place.recordings.reference, output);
        return Promise.resolve({ status: "repaired", output, report: { job_id: "untrunc-1" } });
      },
    };
    const edge = createEdge({}, { repair: failing("NOTHING_RECOVERED"), cloud });
    await pass(edge);
    expect(hashOf(join(place.root, "export", "clip.mp4"))).toBe(hashOf(place.recordings.reference));
    expect(edge.service.stats()).toMatchObject({ exported: 1, exportedByCloud: 1, quarantined: 0 });
    const report = JSON.parse(readFileSync(join(place.root, "originals", "clip.mp4.report.json"), "utf8"));
    expect(report).toMatchObject({ repairedBy: "cloud", cloud: { job_id: "untrunc-1" }, error: { message: "No." } });
  });

  it("does not count where what comes back does not play", async () => {
    put(place.recordings.damaged, "clip.mp4");
    const cloud: RepairService = {
      repair: ({ outputFolder }) => {
        const output = join(outputFolder, "back.mp4");
        copyFileSync(place.recordings.damaged, output);
        return Promise.resolve({ status: "repaired", output, report: null });
      },
    };
    await pass(createEdge({}, { repair: failing("OUTPUT_NOT_VERIFIED"), cloud }));
    expect(listAll(join(place.root, "export"))).toEqual([]);
    const report = JSON.parse(readFileSync(join(place.root, "quarantine", "clip.mp4.report.json"), "utf8"));
    expect(report).toMatchObject({ outcome: "failed", cloud: { error: { code: "OUTPUT_NOT_VERIFIED" } } });
    expect(listLeftovers(place.root)).toEqual([]);
  });
});

function boxOf(type: string, payloadBytes: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + payloadBytes);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, Buffer.alloc(payloadBytes)]);
}
