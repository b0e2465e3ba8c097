import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Contestant } from "../contestant.ts";
import { loadPackage } from "./load.ts";

interface PlainJob {
  defineQueue(options: object): { addMany(type: string, data: readonly object[]): unknown; close(): void };
  defineWorker(type: string, run: () => Promise<void>, options: object): { start(): Promise<void> };
}

const NO_LOG = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

/** plainjob on SQLite: the same build of it as Reelmill's, behind the few functions that plainjob wants of a driver. */
export const plainJob: Contestant = {
  name: "plainjob",
  install: ["plainjob@0.0.14"],
  server: "none",
  open: async (setting) => {
    const { defineQueue, defineWorker } = await loadPackage<PlainJob>(setting, "plainjob");
    const filename = join(setting.folder, "plainjob.db");
    const database = new DatabaseSync(filename, { timeout: 10_000 });
    const synchronous = `synchronous = ${setting.durability === "power" ? "FULL" : "NORMAL"}`;
    const inTransaction =
      (work: (...given: readonly unknown[]) => unknown) =>
      (...given: readonly unknown[]): unknown => {
        database.exec("BEGIN IMMEDIATE");
        try {
          const result = work(...given);
          database.exec("COMMIT");
          return result;
        } catch (error) {
          database.exec("ROLLBACK");
          throw error;
        }
      };
    const transaction = (work: (...given: readonly unknown[]) => unknown) => {
      const run = inTransaction(work);
      return Object.assign(run, { immediate: run, deferred: run, exclusive: run });
    };
    const connection = {
      driver: "better-sqlite3",
      filename,
      // Whatever it sets, the durability is the one compared.
      pragma: (text: string) => database.exec(`PRAGMA ${text.startsWith("synchronous") ? synchronous : text}`),
      exec: (text: string) => database.exec(text),
      prepare: (text: string) => database.prepare(text),
      transaction,
      close: () => database.close(),
    };
    const queue = defineQueue({ connection, logger: NO_LOG });
    database.exec(`PRAGMA ${synchronous}`);
    return {
      enqueue: async (count) => {
        for (let made = 0; made < count; made += 50) {
          queue.addMany(
            "job",
            Array.from({ length: Math.min(50, count - made) }, () => ({ n: 1 })),
          );
        }
      },
      work: async (onDone, runJob) => {
        const worker = defineWorker("job", runJob, { queue, logger: NO_LOG, onCompleted: onDone });
        void worker.start();
      },
      close: async () => queue.close(),
    };
  },
};
