import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";
import { afterEach, expect, it } from "vitest";
import { openDatabase } from "../../src/adapters/local/database.ts";
import { createDeliveryStore } from "../../src/adapters/local/delivery-store.ts";
import { type Receiver, startReceiver } from "../../src/adapters/webhook/receiver.fixture.ts";
import { createWebhookSecret } from "../../src/adapters/webhook/signature.ts";
import { systemClock } from "../../src/base/clock.ts";

const PROGRAM = fileURLToPath(new URL("webhook-process.fixture.ts", import.meta.url));
const JOBS = 40;
/** Received requests at which the process is killed, while others are under way. */
const KILLED_AT = [1, 7, 20];
/** More than a claim lasts. */
const RESTART_AFTER_MS = 45_000;

const folder = mkdtempSync(join(tmpdir(), "reelmill-webhooks-"));
let child: ChildProcess | undefined;
let receiver: Receiver | undefined;

afterEach(async () => {
  child?.kill("SIGKILL");
  await receiver?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("tells of every job, each in one delivery, however often the process that tells is killed", async () => {
  const secret = createWebhookSecret();
  const path = join(folder, "reelmill.sqlite");
  const killings = [...KILLED_AT];
  receiver = await startReceiver((response, count) => {
    if (count + 1 === killings[0]) {
      killings.shift();
      // This one is received, and never answered.
      child?.kill("SIGKILL");
    } else response.writeHead(204).end();
  });
  const { url } = receiver;
  const ends: unknown[] = [];
  for (let start = 0; start <= KILLED_AT.length; start++) {
    child = spawn(process.execPath, [PROGRAM, path, secret, url, String(JOBS), String(start * RESTART_AFTER_MS)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [code, signal] = await once(child, "exit");
    ends.push(signal ?? code);
  }
  expect(ends).toEqual(["SIGKILL", "SIGKILL", "SIGKILL", 0]);

  const told = receiver.received.map(({ body, headers }) => {
    const verified = new Webhook(secret).verify(body, headers) as { readonly data: { readonly job: { id: string } } };
    return { job: verified.data.job.id, id: headers["webhook-id"] };
  });
  expect(new Set(told.map(({ job }) => job)).size).toBe(JOBS);
  // What was received but not written down came again under the same id, so that a receiver can tell.
  expect(new Set(told.map(({ id }) => id)).size).toBe(JOBS);
  const database = openDatabase(path, "normal");
  const deliveries = await createDeliveryStore(database, systemClock).list({ limit: 500 });
  database.close();
  expect(deliveries).toHaveLength(JOBS);
  expect(deliveries.every(({ state }) => state === "delivered")).toBe(true);
});
