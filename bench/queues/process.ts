import { setTimeout as delay } from "node:timers/promises";
import type { Setting } from "./contestant.ts";
import { contestantNamed } from "./contestants/all.ts";

/*
 * One process of a run. Arguments: contestant, setting as JSON, what to do.
 *   enqueue <count>: puts jobs in, tells how many per second.
 *   work: says when it is ready, begins at a message, tells how many jobs are done, as they come.
 *   hang: takes one job and never ends it; tells when it has it.
 */
const [, , name, settingJson, task, count] = process.argv;
const send = (message: object): void => {
  process.send?.(message, undefined, undefined, () => undefined);
};
process.on("disconnect", () => process.exit(0));
const session = await contestantNamed(name).open(JSON.parse(settingJson ?? "") as Setting);
if (task === "enqueue") {
  const startMs = performance.now();
  await session.enqueue(Number(count));
  send({ perSecond: (Number(count) / (performance.now() - startMs)) * 1000 });
  await session.close();
  process.exit(0);
} else if (task === "hang") {
  await session.work(
    () => undefined,
    async () => {
      send({ has: true });
      await delay(3600_000);
    },
  );
} else {
  let done = 0;
  let told = 0;
  setInterval(() => {
    if (done !== told) send({ done });
    told = done;
  }, 20);
  process.once("message", () => {
    void session.work(
      () => {
        done += 1;
      },
      async () => undefined,
    );
  });
  send({ ready: true });
}
