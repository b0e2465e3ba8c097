import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Claim, type ClaimKeeper, createClaimKeeper } from "./claims.ts";

let folder: string;
let nowMs: number;
const keepers: ClaimKeeper[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-claims-"));
  nowMs = 0;
});
afterEach(() => {
  for (const keeper of keepers.splice(0)) keeper.stop();
  rmSync(folder, { recursive: true, force: true });
});

const LEASE_MS = 10_000;

function createKeeper(leaseMs = LEASE_MS): ClaimKeeper {
  const keeper = createClaimKeeper({ folder, leaseMs, monotonicMs: () => nowMs });
  keepers.push(keeper);
  return keeper;
}

async function hold(keeper: ClaimKeeper, name = "a.mp4"): Promise<Claim> {
  const got = await keeper.acquire(name);
  if ("heldBy" in got) throw new Error(`It is held by ${got.heldBy}.`);
  return got;
}

/** Lets half a lease pass and looks. */
async function pass(keeper: ClaimKeeper, byMs = LEASE_MS / 2): Promise<readonly Claim[]> {
  nowMs += byMs;
  return await keeper.takeAbandoned();
}

function lockPath(): string {
  const name = readdirSync(folder).find((entry) => entry.endsWith(".lock"));
  return join(folder, name ?? "none");
}

describe("claims", () => {
  it("are held by one keeper at a time, until they are given back", async () => {
    const [first, second] = [createKeeper(), createKeeper()];
    const claim = await hold(first);
    expect(await second.acquire("a.mp4")).toEqual({ heldBy: expect.stringContaining(String(process.pid)) });
    expect(await first.acquire("a.mp4")).toHaveProperty("heldBy");
    await hold(second, "b.mp4");
    await claim.release();
    expect((await hold(second)).token).not.toBe(claim.token);
    expect(await claim.isHeld()).toBe(false);
  });

  it("go to exactly one of many who want them at once", async () => {
    const many = Array.from({ length: 10 }, () => createKeeper());
    const got = await Promise.all(many.map((keeper) => keeper.acquire("a.mp4")));
    expect(got.filter((claim) => "token" in claim)).toHaveLength(1);
  });

  it("become stale only when nothing changed for the lease by the own clock", async () => {
    const [first, second] = [createKeeper(), createKeeper()];
    const claim = await hold(first);
    // The time that the file bears says nothing: the other machine's clock may be wrong.
    utimesSync(lockPath(), 1, 1);
    expect(await second.takeAbandoned()).toEqual([]);
    expect(await pass(second)).toEqual([]);
    expect(await pass(second, LEASE_MS / 2 - 1)).toEqual([]);
    expect(await second.acquire("a.mp4")).toHaveProperty("heldBy");
    // A sign of life.
    utimesSync(lockPath(), 2, 2);
    expect(await pass(second)).toEqual([]);
    expect(await pass(second)).toEqual([]);
    const [taken] = await pass(second);
    expect(taken?.name).toBe("a.mp4");
    expect(await claim.isHeld()).toBe(false);
    expect(await taken?.isHeld()).toBe(true);
    await claim.release();
    expect(await taken?.isHeld()).toBe(true);
  });

  it("do not become stale while the one who looks was asleep", async () => {
    const [first, second] = [createKeeper(), createKeeper()];
    await hold(first);
    await second.takeAbandoned();
    expect(await pass(second, 3_600_000)).toEqual([]);
    expect(second.nextLookMs()).toBe(LEASE_MS / 2);
    expect(first.nextLookMs()).toBeUndefined();
    rmSync(lockPath());
    await pass(second);
    expect(second.nextLookMs()).toBeUndefined();
  });

  it("are taken over by exactly one of many", async () => {
    const first = createKeeper();
    await hold(first);
    const many = Array.from({ length: 10 }, () => createKeeper());
    await Promise.all(many.map((keeper) => keeper.takeAbandoned()));
    nowMs += LEASE_MS / 2;
    await Promise.all(many.map((keeper) => keeper.takeAbandoned()));
    nowMs += LEASE_MS / 2;
    const taken = (await Promise.all(many.map((keeper) => keeper.takeAbandoned()))).flat();
    expect(taken).toHaveLength(1);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("whose writer was cut off are taken over, too, and what else was half done goes", async () => {
    const key = "0".repeat(32);
    for (const name of [`${key}.lock`, `${key}.lock.takeover`, `${key}.journal.draft`]) {
      writeFileSync(join(folder, name), "");
    }
    const keeper = createKeeper();
    await keeper.takeAbandoned();
    for (let look = 0; look < 3; look++) {
      for (const claim of await pass(keeper)) await claim.release();
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it("tell their holder when they were lost, and live on while it beats", async () => {
    const first = createKeeper(40);
    const claim = await hold(first);
    const before = readFileSync(lockPath(), "utf8");
    while (readFileSync(lockPath(), "utf8") === before) await new Promise((settle) => setTimeout(settle, 5));
    expect(await claim.isHeld()).toBe(true);
    // As another takes it over: written into the lock in place, it could fall between a beat's look and its writing.
    writeFileSync(`${lockPath()}.other`, JSON.stringify({ name: "a.mp4", holder: "other", token: "other" }));
    renameSync(`${lockPath()}.other`, lockPath());
    if (!claim.lost.aborted) await new Promise((settle) => claim.lost.addEventListener("abort", settle));
    expect(await claim.isHeld()).toBe(false);
  });

  it("that could not be given back while the share was gone are found again", async () => {
    const keeper = createKeeper();
    const claim = await hold(keeper);
    renameSync(folder, `${folder}-away`);
    await expect(claim.release()).rejects.toThrow("ENOENT");
    renameSync(`${folder}-away`, folder);
    const [again] = await keeper.takeAbandoned();
    expect(again?.name).toBe("a.mp4");
    await again?.release();
    expect(readdirSync(folder)).toEqual([]);
  });
});
