import { openDatabase } from "../../src/adapters/local/database.ts";
import { createJobStore } from "../../src/adapters/local/job-store.ts";
import { openTelemetry } from "../../src/apps/telemetry.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLogger } from "../../src/base/log.ts";
import type { TaskRef } from "../../src/jobs/job.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import { createPipelineRegistry } from "../../src/jobs/pipeline.ts";
import { runNamedTask } from "../../src/jobs/run-named-task.ts";
import { TWO_PARTS } from "./two-parts.fixture.ts";

/*
 * A worker that does the tasks it is told to, one behind the other: `worker.fixture.ts <database> <tasks as JSON>`. Metrics go to standard output, the log
 * to standard error.
 */
const [path = "", tasks = "[]"] = process.argv.slice(2);
const clock = systemClock;
const log = createLogger({ format: "json", level: "debug", write: (line) => process.stderr.write(line) });
const write = (line: string): void => void process.stdout.write(line);
const telemetry = await openTelemetry({ metrics: "emf", environment: process.env, write, log, clock });
const database = openDatabase(path, "normal");
const engine = {
  store: createJobStore(database, clock),
  objects: { lendsInPlace: true } as ObjectStore,
  pipelines: createPipelineRegistry([TWO_PARTS]),
  workFolders: { create: async () => "", remove: async () => undefined },
  ...{ log, clock, environment: {}, random: () => 0, metrics: telemetry.metrics, tracer: telemetry.tracer },
};
for (const ref of JSON.parse(tasks) as readonly TaskRef[]) {
  const lease = { owner: String(process.pid), leaseMs: 60_000 };
  await runNamedTask(engine, ref, { lease, signal: new AbortController().signal });
}
database.close();
await telemetry.flush();
