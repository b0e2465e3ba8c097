import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, expect, it } from "vitest";
import { createJobLogs } from "../adapters/local/job-logs.ts";
import { createLocalObjectStore } from "../adapters/local/object-store.ts";
import { systemClock } from "../base/clock.ts";
import { loadConfig } from "../base/config.ts";
import { ReelmillError } from "../base/errors.ts";
import { createLogger } from "../base/log.ts";
import { mergeLogLines } from "../jobs/log-lines.ts";
import type { ObjectStore } from "../jobs/object-store.ts";
import { readAwsHome } from "./aws-settings.ts";
import type { Home } from "./parts.ts";
import { readSharedLogs, shareLogs } from "./shared-logs.ts";

const JOB = "01920000-0000-7000-8000-000000000001";
const folder = mkdtempSync(join(tmpdir(), "reelmill-logs-"));
const objects = createLocalObjectStore({ root: join(folder, "objects"), mounts: {} });

afterAll(() => rmSync(folder, { recursive: true }));

const PLACE = { S3_BUCKET: "videos", DYNAMODB_TABLE: "jobs", AWS_REGION: "eu-central-1" };

function homeOf(groups: string): Home {
  const environment = { ...PLACE, CLOUDWATCH_LOG_GROUPS: groups };
  return readAwsHome(environment, loadConfig(environment).server, folder);
}

async function readAll(): Promise<readonly unknown[]> {
  const lines = mergeLogLines(await readSharedLogs(objects, JOB), 10);
  return lines.map((line) => (line as { readonly message: string }).message);
}

function lineOf(second: number, message: string): string {
  return `${JSON.stringify({ timestamp: `2026-01-31T12:00:0${second}Z`, level: "info", message, job_id: JOB })}\n`;
}

function open(machine: string, store = objects, home = homeOf(""), isServer = true) {
  const told: string[] = [];
  const logs = createJobLogs(join(folder, machine));
  const log = createLogger({ format: "json", level: "warn", write: (line) => told.push(line) });
  const shared = shareLogs({ home, logs, objects: store, dataFolder: machine, isServer, clock: systemClock, log });
  const say = (second: number): void => logs.write(lineOf(second, machine));
  return { logs, shared, say, told };
}

it("shows what all machines logged of a job", async () => {
  const [first, second] = [open("first"), open("second")];
  first.say(1);
  first.say(4);
  second.say(2);
  await second.shared.stop();
  expect(await readAll()).toContain("second");
  await first.shared.stop();
  expect(await readAll()).toEqual(["first", "second", "first"]);
  expect(await readSharedLogs(objects, "none")).toEqual([]);
});

it("shares nothing where lines go to log groups", async () => {
  const { shared, say } = open("grouped", objects, homeOf("/workers"));
  say(3);
  await shared.stop();
  expect(await readAll()).not.toContain("grouped");
});

it("shares what a process that was killed had not, and what was written while the store was away", async () => {
  const away = { ...objects, put: () => Promise.reject(new ReelmillError("STORE_UNAVAILABLE", "Away.")) };
  const killed = open("third", away);
  killed.say(5);
  await killed.shared.stop();
  expect(killed.told).toEqual([expect.stringContaining("cannot be shared")]);
  expect(await readAll()).toHaveLength(3);
  await open("third").shared.stop();
  expect(await readAll()).toHaveLength(4);
});

it("keeps what is only in the store when the machine forgot it, or has a new disk", async () => {
  const before = (await readAll()).length;
  const { shared, say } = open("sixth");
  say(5);
  await shared.stop();
  rmSync(join(folder, "sixth"), { recursive: true });
  const again = open("sixth");
  again.say(6);
  await again.shared.stop();
  expect(await readAll()).toHaveLength(before + 2);
});

it("shares what is logged while it is stopped in the midst of sharing", async () => {
  const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = {
    ...objects,
    put: async (...[key, content]: Parameters<ObjectStore["put"]>) => {
      const info = await objects.put(key, content);
      begun.resolve();
      await released.promise;
      return info;
    },
  };
  const logs = createJobLogs(join(folder, "seventh"));
  logs.write(lineOf(7, "early"));
  const { shared } = open("seventh", slow);
  await begun.promise;
  const stopped = shared.stop();
  logs.write(lineOf(8, "late"));
  released.resolve();
  await stopped;
  expect((await readAll()).slice(-2)).toEqual(["early", "late"]);
});

it("reads the end of what is long, from a whole line on", async () => {
  const id = JOB.replace(/1$/, "2");
  const lines = Array.from({ length: 12 }, (_, index) => lineOf(1, `${index}-${"x".repeat(100_000)}`));
  await objects.put(`logs/${id}/long.jsonl`, Readable.from([Buffer.from(lines.join(""))]));
  await objects.put(`logs/${id}/mine.txt`, Readable.from([Buffer.from(lineOf(1, "none of ours"))]));
  const [found = [], ...others] = await readSharedLogs(objects, id);
  expect(others).toEqual([]);
  expect(found).toEqual(lines.slice(2).map((line) => JSON.parse(line)));
});

it.each(["", "/workers"])("forgets on a worker what is older than a day, with the log groups '%s'", async (groups) => {
  const machine = `forgetful${groups.length}`;
  const logs = createJobLogs(join(folder, machine));
  const old = JOB.replace(/1$/, "9");
  for (const id of [JOB, old]) logs.write(lineOf(1, machine).replace(JOB, id));
  utimesSync(join(folder, machine, `${old}.jsonl`), 1, 1);
  await open(machine, objects, homeOf(groups), false).shared.stop();
  expect([await logs.read(JOB, 9), await logs.read(old, 9)]).toMatchObject([[{ message: machine }], []]);
  expect((await readSharedLogs(objects, old)).length).toBe(groups === "" ? 1 : 0);
  await objects.delete((await objects.list(`logs/${old}/`, { limit: 1 }))[0]?.key ?? "none");
});

it("forgets nothing that could not be shared, nor what a server alone has", async () => {
  const away = { ...objects, put: () => Promise.reject(new ReelmillError("STORE_UNAVAILABLE", "Away.")) };
  for (const [store, groups, isServer] of [[away, "", false] as const, [objects, "/api", true] as const]) {
    const logs = createJobLogs(join(folder, "careful"));
    logs.write(lineOf(1, "careful"));
    utimesSync(join(folder, "careful", `${JOB}.jsonl`), 1, 1);
    await open("careful", store, homeOf(groups), isServer).shared.stop();
    expect(await logs.listOlder(9000)).toEqual([JOB]);
  }
});
