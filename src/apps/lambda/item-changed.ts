import { z } from "zod";
import type { Care, JobPlace } from "../../adapters/aws/care.ts";
import type { JobContainers } from "../../adapters/aws/job-containers.ts";
import type { Logger } from "../../base/log.ts";
import { runPool } from "../../base/run-pool.ts";
import { parseEvent } from "./parse-event.ts";

const TEXT = z.object({ S: z.string() });

/** What a stream of DynamoDB tells of changed items, in the order of the changes for each item. */
const EVENT = z.object({
  Records: z.array(
    z.object({
      eventName: z.enum(["INSERT", "MODIFY", "REMOVE"]),
      dynamodb: z.object({
        SequenceNumber: z.string().regex(/^\d+$/),
        Keys: z.object({ pk: TEXT, sk: TEXT }),
        NewImage: z
          .object({
            pending: z.unknown().optional(),
            status: TEXT.optional(),
            finishedAtMs: z.object({ N: z.string().optional() }).optional(),
          })
          .optional(),
      }),
    }),
  ),
});

/** Which records are to be told again; the stream goes back to the first of them. */
export interface StreamAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** What the function works with. */
export interface ItemChangedPorts {
  readonly care: Pick<Care, "settle">;
  /** Has containers started; undefined where there are none. */
  readonly containers: Pick<JobContainers, "startQueued"> | undefined;
  /** Tells of jobs that ended; undefined where nothing is to be told. */
  readonly deliver: (() => Promise<void>) | undefined;
  readonly log: Logger;
  /** Aborted where the function is about to run out of time: what was not come to is given back. */
  readonly signal: AbortSignal;
}

/** A stream tells of a hundred changes at once; asking for a container takes a few requests. */
const STARTS_AT_ONCE = 8;

/** A job's own item, in whichever space of the table. */
const JOB = /^((?:batch#[^/]+\/)?)job#([0-9a-zA-Z_.-]+)$/;

/** A job as the last of the records about it tells; it may be further on, because records that ask for nothing are kept back (`item-patterns.ts`). */
interface ChangedJob extends JobPlace {
  /** Of the first record about it. */
  readonly sequence: string;
  /** Something of its last transition is still to be written. */
  readonly isPending: boolean;
  /** Waits to be begun, and all that its last transition brings is written. */
  readonly isQueued: boolean;
  readonly hasEnded: boolean;
}

/**
 * Moves on what was left half-written by a writer that died, at once and not when somebody next comes by, has containers started for jobs that wait for
 * one, and has ends told. Doing so twice, or late, changes nothing. Records that it fails at are given back; throws REQUEST_INVALID alone.
 */
export async function onItemChanged(event: unknown, ports: ItemChangedPorts): Promise<StreamAnswer> {
  const { care, containers, deliver, log, signal } = ports;
  const failed: string[] = [];
  const changed = changedJobs(parseEvent(EVENT, event));
  const attempt = async (sequence: string, what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failed.push(sequence);
      log.error(what, { error });
    }
  };
  for (const job of changed.filter(({ isPending }) => isPending)) {
    await attempt(job.sequence, `The job ${job.jobId} could not be moved on.`, () => care.settle(job));
  }
  const queued = containers === undefined ? [] : changed.filter(({ isQueued }) => isQueued);
  await runPool(queued, STARTS_AT_ONCE, signal, async ({ sequence, jobId }) => {
    await attempt(sequence, `The job ${jobId} got no container.`, async () => {
      signal.throwIfAborted();
      await containers?.startQueued(jobId);
    });
  });
  const ended = changed.find(({ hasEnded }) => hasEnded);
  if (ended !== undefined && deliver !== undefined) {
    await attempt(ended.sequence, "Ends of jobs could not be told.", deliver);
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

function changedJobs({ Records }: z.output<typeof EVENT>): readonly ChangedJob[] {
  const jobs = new Map<string, ChangedJob>();
  for (const { dynamodb } of Records) {
    const { Keys, NewImage, SequenceNumber } = dynamodb;
    const [, space = "", jobId] = (Keys.sk.S === "job" && JOB.exec(Keys.pk.S)) || [];
    if (jobId === undefined) continue;
    const sequence = jobs.get(Keys.pk.S)?.sequence ?? SequenceNumber;
    const isPending = NewImage?.pending !== undefined;
    // The batch worker's own jobs have their container, and are told of by their records.
    const isSettled = !isPending && space === "";
    const isQueued = isSettled && NewImage?.status?.S === "queued";
    const hasEnded = isSettled && NewImage?.finishedAtMs?.N !== undefined;
    jobs.set(Keys.pk.S, { space, jobId, sequence, isPending, isQueued, hasEnded });
  }
  return [...jobs.values()];
}
