import type { Contestant } from "../contestant.ts";
import { loadPackage } from "./load.ts";

interface Boss {
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  createQueue(name: string): Promise<void>;
  insert(name: string, jobs: readonly object[]): Promise<unknown>;
  fetch(name: string, options: object): Promise<readonly { readonly id: string }[]>;
  complete(name: string, id: string): Promise<unknown>;
}

/** pg-boss on PostgreSQL, its jobs fetched without the pauses of its own loop. */
export const pgBoss: Contestant = {
  name: "pg-boss",
  install: ["pg-boss@12.30.0"],
  server: "postgres",
  open: async (setting) => {
    const { PgBoss } = await loadPackage<{ readonly PgBoss: new (options: object) => Boss }>(setting, "pg-boss");
    const boss = new PgBoss({ connectionString: setting.address, supervise: false, schedule: false, max: 2 });
    await boss.start();
    await boss.createQueue("bench");
    const run = async (onDone: () => void, runJob: () => Promise<void>): Promise<void> => {
      for (;;) {
        const [job] = await boss.fetch("bench", { batchSize: 1 });
        if (job === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          continue;
        }
        await runJob();
        await boss.complete("bench", job.id);
        onDone();
      }
    };
    return {
      enqueue: async (count) => {
        for (let made = 0; made < count; made += 50) {
          await boss.insert(
            "bench",
            Array.from({ length: Math.min(50, count - made) }, () => ({ data: { n: 1 } })),
          );
        }
      },
      work: async (onDone, runJob) => {
        void run(onDone, runJob);
      },
      close: () => boss.stop({ graceful: false }),
    };
  },
};
