import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Clock } from "../../base/clock.ts";
import { countSlips } from "./inspect.ts";
import { type Committer, readSettledJob } from "./job-commit.ts";
import { createCommitter } from "./job-store.ts";
import { readBooks } from "./queue-book.ts";
import { seeWaiting } from "./queue-messages.ts";
import { settleStale } from "./sweep.ts";
import { putItem, type Table } from "./table.ts";

/** What looks after jobs while no worker runs. */
export interface Care {
  /** Does what the last transition of a job still has to write, where its writer has not; nothing where there is no such job. */
  settle(place: JobPlace): Promise<void>;
  /** Does so for all jobs whose writers have had time enough. */
  settleStale(): Promise<void>;
  /**
   * Rings again for queues in which messages wait though SQS has no slip of theirs: without a worker nobody would look. Asking also keeps SQS
   * measuring queues that nobody touches. Gives the queues.
   */
  ringForgotten(): Promise<readonly string[]>;
  /** Whether it is this caller's turn at what is to be done once in a while, over all callers. */
  takeTurn(name: string, everyMs: number): Promise<boolean>;
}

/** A job, and the space of the table that it lies in; empty for that of the server and its workers. */
export interface JobPlace {
  readonly space: string;
  readonly jobId: string;
}

/** What care is taken with. */
export interface CareOptions {
  readonly table: Table;
  readonly clock: Clock;
  readonly sqs: SQSClient;
  /** The SQS queue of each pipeline that has one. */
  readonly queueUrls: Readonly<Record<string, string>>;
  readonly onSent: Committer["onSent"];
}

/** As many as wake workers; these find the others. */
const MOST_RINGS = 10;

/** Takes care of the jobs of a table. */
export function createCare(options: CareOptions): Care {
  const { table, clock, queueUrls, onSent } = options;
  const committer = createCommitter(table, clock, { onSent });
  return {
    settle: async ({ space, jobId }) => {
      // Nobody waits for slips of a space: its worker holds the whole job.
      const own = space === "" ? committer : createCommitter({ ...table, space }, clock);
      await readSettledJob(own, jobId);
    },
    settleStale: settleStale(committer),
    ringForgotten: async () => {
      const rung: string[] = [];
      for (const [queue, url] of Object.entries(queueUrls)) {
        if ((await countSlips(options.sqs, url)) === 0 && (await ringFor(options, queue))) rung.push(queue);
      }
      return rung;
    },
    takeTurn: async (name, everyMs) => {
      const atMs = clock.nowMs();
      const item = { pk: "turns", sk: name, atMs };
      if (await putItem(table, item, [{ path: ["pk"], is: "absent" }])) return true;
      return await putItem(table, item, [{ path: ["atMs"], is: "<", value: atMs - everyMs + 1 }]);
    },
  };
}

async function ringFor({ table, clock, onSent }: CareOptions, queue: string): Promise<boolean> {
  const book = (await readBooks(table)).find((one) => one.queue === queue && !one.isPaused);
  if (book === undefined) return false;
  let rings = 0;
  for await (const waiting of seeWaiting(table, book, undefined, clock.nowMs())) {
    if (rings === MOST_RINGS) break;
    rings += 1;
    await onSent({ queue, ...waiting, delayMs: 0 });
  }
  return rings > 0;
}
