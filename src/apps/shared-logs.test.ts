import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createJobLogs } from "../adapters/local/job-logs.ts";
import { createLocalObjectStore } from "../adapters/local/object-store.ts";
import { systemClock } from "../base/clock.ts";
import { loadConfig } from "../base/config.ts";
import { ReelmillError } from "../base/errors.ts";
import { createLogger } from "../base/log.ts";
import { mergeLogLines } from "../jobs/log-reader.ts";
import { readAwsHome } from "./aws-settings.ts";
import type { Home } from "./parts.ts";
import { forgetOldLogs, readSharedLogs, shareLogs } from "./shared-logs.ts";

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

function open(machine: string, store = objects, home = homeOf("")) {
  const told: string[] = [];
  const logs = createJobLogs(join(folder, machine));
  const log = createLogger({ format: "json", level: "warn", write: (line) => told.push(line) });
  const shared = shareLogs({ home, logs, objects: store, dataFolder: machine, clock: systemClock, log });
  const say = (second: number): void => {
    logs.write(
      `${JSON.stringify({ timestamp: `2026-01-31T12:00:0${second}Z`, level: "info", message: machine, job_id: JOB })}\n`,
    );
  };
  return { logs, shared, say, told };
}

it("shows what all machines logged of a job", async () => {
  const [first, second] = [open("first"), open("second")];
  first.say(1);
  first.say(4);
  second.say(2);
  await second.shared.stop();
  expect(await readAll()).toEqual(["second"]);
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

it("forgets on the machine what is older than a day", async () => {
  const { logs, shared, say } = open("fourth");
  await shared.stop();
  say(6);
  await forgetOldLogs(logs, systemClock);
  expect(await logs.read(JOB, 9)).toHaveLength(1);
  const path = join(folder, "fourth", `${JOB}.jsonl`);
  writeFileSync(path, "");
  utimesSync(path, 1, 1);
  await forgetOldLogs(logs, systemClock);
  expect(await logs.listOlder(Date.now() + 1e6)).toEqual([]);
});
