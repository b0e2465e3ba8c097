import type { Contestant } from "../contestant.ts";
import { loadPackage } from "./load.ts";

interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => { addBulk(jobs: readonly object[]): Promise<unknown>; close(): Promise<void> };
  readonly Worker: new (
    name: string,
    run: () => Promise<void>,
    options: object,
  ) => { on(event: "completed", hear: () => void): void; waitUntilReady(): Promise<unknown>; close(): Promise<void> };
}

/** BullMQ on Redis. */
export const bullMq: Contestant = {
  name: "BullMQ",
  install: ["bullmq@6.7.0", "ioredis@6.0.0"],
  server: "redis",
  open: async (setting) => {
    const { Queue, Worker } = await loadPackage<BullMq>(setting, "bullmq");
    const connection = { host: "127.0.0.1", port: Number(setting.address), maxRetriesPerRequest: null };
    const queue = new Queue("bench", { connection });
    return {
      enqueue: async (count) => {
        for (let made = 0; made < count; made += 50) {
          await queue.addBulk(
            Array.from({ length: Math.min(50, count - made) }, () => ({ name: "job", data: { n: 1 } })),
          );
        }
      },
      work: async (onDone, runJob) => {
        const worker = new Worker("bench", runJob, { connection });
        worker.on("completed", onDone);
        await worker.waitUntilReady();
      },
      close: () => queue.close(),
    };
  },
};
