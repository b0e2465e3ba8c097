import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openWorld, type World } from "../../src/apps/lambda/open.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type AwsUnderTest, environmentOf, makeBucket, makeTable, startStorage, startTables } from "../support/aws.ts";
import { buildServedDashboard, launchBrowser, missingBrowser } from "../support/dashboard.ts";
import { visitDashboard } from "./dashboard.fixture.ts";
import { type Bridge, startBridge } from "./functions-bridge.fixture.ts";
import { makeRecordings, type Recordings } from "./recordings.fixture.ts";
import { startWorker, type WorkerCommand } from "./worker-command.fixture.ts";
import { reelmill } from "./workplace.fixture.ts";

/*
 * The interface that is served by a function, as the command line and the dashboard use it: nothing stays between their requests. A worker has the
 * same bucket and table.
 */

const KEY = "k3y-0f-the-functions";

let folder: string;
let files: Recordings;
/** The damaged recording as a camera leaves it that reserves room ahead: long enough to be uploaded in parts. */
let reserved: string;
let storage: AwsUnderTest;
let tables: AwsUnderTest;
let bucket: Awaited<ReturnType<typeof makeBucket>>;
let table: Awaited<ReturnType<typeof makeTable>>;
let world: World;
let bridge: Bridge;
let worker: WorkerCommand;

beforeAll(async () => {
  buildServedDashboard();
  folder = mkdtempSync(join(tmpdir(), "reelmill-functions-"));
  files = makeRecordings(join(folder, "made"));
  reserved = join(folder, "reserved.mp4");
  copyFileSync(files.damaged, reserved);
  truncateSync(reserved, 101_000_000);
  [storage, tables] = await Promise.all([startStorage({ takesPages: true }), startTables()]);
  [bucket, table] = await Promise.all([makeBucket(storage.place), makeTable(tables.place)]);
  const place = {
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    ...environmentOf({ storage, tables, bucket, table }),
  };
  const environment = {
    ...place,
    PATH: process.env["PATH"] ?? "",
    REELMILL_DATA: join(folder, "function"),
    REELMILL_API_KEY_SHA256: createHash("sha256").update(KEY).digest("hex"),
  };
  world = openWorld(environment, systemClock, () => undefined);
  bridge = await startBridge(world);
  worker = startWorker({ ...place, REELMILL_DATA: join(folder, "machine") });
});

afterAll(async () => {
  worker.process.kill("SIGTERM");
  expect((await worker.ended()).status).toBe(0);
  await bridge.stop();
  world.parts.close();
  await bucket.remove();
  await table.remove();
  await storage.stop();
  await tables.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("is used by the command line, which follows a job to its end and fetches what came of it", async () => {
  const out = join(folder, "out");
  mkdirSync(out);
  const environment = { REELMILL_SERVER: bridge.url, REELMILL_API_KEY: KEY };
  const args = ["submit", "repair", reserved, "--reference", files.reference, "-o", out];
  const { status, output, error } = await reelmill(args, { environment });
  expect([status, error]).toEqual([0, expect.stringContaining("succeeded, finish, 100 %")]);
  expect(error).not.toContain("Trying again");
  const [id = ""] = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(output + error) ?? [];
  expect(readdirSync(out).map((name) => statSync(join(out, name)).size > 0)).toEqual([true]);
  const watched = await reelmill(["jobs", "watch", id, "--json"], { environment });
  expect([watched.status, watched.output.trim().split("\n").length]).toEqual([0, 1]);
});

const missing = missingBrowser();
if (missing !== undefined) process.stderr.write(`The dashboard of functions is not shown here: ${missing}.\n`);

it.skipIf(missing !== undefined)("shows the dashboard, which sends files to the store itself", async () => {
  const large = Buffer.alloc(5 * 1024 * 1024, "large");
  await world.parts.objects.put(
    "uploads/large.bin",
    (async function* () {
      yield large;
    })(),
  );
  const browser = await launchBrowser();
  try {
    const visit = await visitDashboard(browser, bridge.url);
    const { page } = visit;
    await visit.open("/");
    await page.getByLabel("API key", { exact: true }).fill(KEY);
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    await page.getByLabel("Choose files").waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).origin}`));
    // Before the key was given, the server refused.
    visit.complaints.length = 0;
    await leaveUpload(page, 5);
    await page.getByText("1 upload was broken off").waitFor();
    asked.length = 0;
    await visit.submit([reserved], files.reference);
    await visit.heading("Succeeded").waitFor();
    // The parts of the one that were missing, and the other whole.
    expect(asked.filter((request) => request === `PUT ${storage.place.endpoint}`)).toHaveLength(13 - 5 + 1);
    // However often its stream of events is asked for again, it is live, and asks for little besides.
    await visit.open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    asked.length = 0;
    await page.waitForTimeout(7000);
    expect(await page.getByText("Live", { exact: true }).count()).toBe(1);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThan(6);
    const length =
      "fetch('/v1/objects/uploads/large.bin').then(async (found) => (await found.arrayBuffer()).byteLength)";
    expect(await page.evaluate(length)).toBe(large.length);
    expect(visit.complaints).toEqual([]);
    await visit.close();
  } finally {
    await browser.close();
  }
});

/** Begins to upload the long file, and leaves the page when so many of its parts are there. */
async function leaveUpload(page: Page, parts: number): Promise<void> {
  const hold = `${storage.place.endpoint}/**`;
  await page.route(hold, async (route) => {
    const number = Number(new URL(route.request().url()).searchParams.get("partNumber"));
    // Nobody ever answers the others.
    if (number <= parts) await route.continue();
  });
  await page.getByLabel("Choose files").setInputFiles([reserved]);
  const kept = "Object.entries(localStorage).filter(([key]) => key.startsWith('reelmill.upload.'))";
  const tags = `${kept}.flatMap(([, text]) => JSON.parse(text).etags).filter((tag) => tag !== null)`;
  await expect.poll(() => page.evaluate(`${tags}.length`)).toBe(parts);
  await page.reload();
  await page.unroute(hold);
}
