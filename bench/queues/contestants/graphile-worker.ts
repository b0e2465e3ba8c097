import type { Contestant } from "../contestant.ts";
import { loadPackage } from "./load.ts";

interface Graphile {
  readonly Logger: new (factory: () => () => void) => object;
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>;
    addJobs(jobs: readonly object[]): Promise<unknown>;
    release(): Promise<void>;
  }>;
  run(options: object): Promise<unknown>;
}

/** graphile-worker on PostgreSQL, one job at a time, as it comes. */
export const graphileWorker: Contestant = {
  name: "graphile-worker",
  install: ["graphile-worker@0.18.0"],
  server: "postgres",
  open: async (setting) => {
    const loaded = await loadPackage<Graphile & { readonly default?: Graphile }>(setting, "graphile-worker");
    const { Logger, makeWorkerUtils, run } = loaded.default ?? loaded;
    const options = { connectionString: setting.address, logger: new Logger(() => () => undefined), maxPoolSize: 3 };
    const utils = await makeWorkerUtils(options);
    await utils.migrate();
    return {
      enqueue: async (count) => {
        const job = { identifier: "job", payload: { n: 1 } };
        for (let made = 0; made < count; made += 50) {
          await utils.addJobs(Array.from({ length: Math.min(50, count - made) }, () => job));
        }
      },
      work: async (onDone, runJob) => {
        const job = async (): Promise<void> => {
          await runJob();
          onDone();
        };
        await run({ ...options, concurrency: 1, noHandleSignals: true, pollInterval: 100, taskList: { job } });
      },
      close: () => utils.release(),
    };
  },
};
