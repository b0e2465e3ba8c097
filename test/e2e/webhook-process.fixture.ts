import { openDatabase } from "../../src/adapters/local/database.ts";
import { createDeliveryStore } from "../../src/adapters/local/delivery-store.ts";
import { createWebhookSender } from "../../src/adapters/webhook/sender.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLogger } from "../../src/base/log.ts";
import { createDeliveryLoop } from "../../src/jobs/delivery-loop.ts";
import { EndedJobs, makeJob } from "../../src/jobs/ended-jobs.fixture.ts";
import { createPipelineRegistry } from "../../src/jobs/pipeline.ts";

// A process that tells of jobs that ended, to be killed: database, secret, receiver, how many jobs, how far its clock is ahead.
const [path = "", secret = "", url = "", count = "", aheadMs = ""] = process.argv.slice(2);

const jobs = new EndedJobs();
for (let index = 0; index < Number(count); index++) {
  jobs.put(makeJob({ id: `job-${index}`, webhook: { url, format: "standard" } }));
}
const clock = { ...systemClock, nowMs: () => Date.now() + Number(aheadMs) };
const database = openDatabase(path, "normal");
const loop = createDeliveryLoop({
  store: createDeliveryStore(database, clock),
  jobs,
  send: createWebhookSender({ secrets: [secret], allowPrivateNetworks: true, clock }),
  pipelines: createPipelineRegistry([]),
  globalTargets: [],
  clock,
  log: createLogger({ format: "json", level: "error", write: () => undefined }),
  signal: new AbortController().signal,
});
while (await loop.notice());
await loop.sendDue();
database.close();
