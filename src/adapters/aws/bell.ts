import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { createFaultLog } from "../../base/fault-log.ts";
import type { Logger } from "../../base/log.ts";
import { pause } from "../../base/pause.ts";
import { type AwsPlace, asking, clientSettings } from "./connection.ts";
import type { SentMessage } from "./job-commit.ts";
import { isMessage } from "./queue-messages.ts";
import type { Table } from "./table.ts";

/*
 * For every message of the table's queues there is a slip in SQS that says so. SQS knows no priority, no bound on what is out, and nothing of
 * what it holds can be looked up; so the table decides who works at what, and slips do what SQS does well: they wake workers without polling
 * the table, come again where a worker died, and are counted by what scales the workers (visible and not visible together are the tasks that
 * are left). A slip may be lost, or be there twice, or be late: workers look at the table now and then anyhow, and find nothing twice.
 */

/** What the bell is made of. */
export interface SqsBellOptions {
  readonly client: SQSClient;
  /** The SQS queue of each pipeline that has one. */
  readonly queueUrls: Readonly<Record<string, string>>;
  /** Where the messages are that slips tell of. */
  readonly table: Table;
  /**
   * For how long a slip is hidden that a worker lets go of while its message is still there. One that is held is hidden for as long as its queue is
   * set to, and again while its worker lives.
   */
  readonly restMs: number;
  /** How long one question for slips waits at a queue, 0 to 20. */
  readonly longPollSeconds: number;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Wakes workers wherever they run. */
export interface SqsBell {
  /** Tells of a message; never throws: a slip that cannot be sent is made up for by looking. */
  readonly ring: (message: SentMessage) => Promise<void>;
  /** Resolves when there may be something to do, after `timeoutMs`, or when the signal is aborted; never throws. */
  readonly wait: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
  /** Removes slips of what is done, as far as SQS shows them; for a machine that is busy and waits for nothing. Never throws. */
  readonly tidy: (signal: AbortSignal) => Promise<void>;
  /** Lets go of the slips that are held. */
  readonly close: () => Promise<void>;
}

/** A client for SQS, or what speaks its protocol: at the endpoint given, whatever a queue's URL says. */
export function createSqsClient(place: AwsPlace): SQSClient {
  return new SQSClient({ ...clientSettings(place), useQueueUrlAsEndpoint: place.endpoint === undefined });
}

/** SQS tells of no more; those not held are let go at once, because a slip in a buffer is hidden from all others. */
const MAX_SLIPS = 10;
const MAX_DELAY_SECONDS = 900;
const RENEWALS_PER_LEASE = 3;
/** A queue may be set to hide nothing at all: its slips come again at once, but are not renewed without a pause. */
const MIN_LEASE_MS = 3000;
/** So many questions, each of which SQS answers with ten slips. */
const MAX_TIDY_QUESTIONS = 20;
/** While SQS cannot be used, the table is looked at so often; and SQS, where its questions do not wait. */
const PAUSE_MS = 1000;

const SLIP = z.strictObject({
  id: z.number(),
  sk: z.string(),
  jobId: z.string(),
  stage: z.string(),
  index: z.number(),
});

/** A slip that was received. */
interface Slip {
  readonly queue: string;
  readonly url: string;
  readonly receipt: string;
  /** The message that it tells of; undefined where it is none of ours. */
  readonly message: { readonly sk: string } | undefined;
}

/** Slips of one worker, each with what keeps it hidden as long as that works. */
type HeldSlips = Map<Slip, NodeJS.Timeout>;

/** A bell on the queues given. */
export function createSqsBell(options: SqsBellOptions): SqsBell {
  const { queueUrls, restMs, log, clock } = options;
  const held: HeldSlips = new Map();
  const faults = createFaultLog({
    ...{ log, clock },
    level: "error",
    message: "SQS cannot be used; workers look for work now and then meanwhile.",
    over: "SQS works again.",
  });
  const survive = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      faults.worked();
      return true;
    } catch (error) {
      faults.failed(error);
      return false;
    }
  };
  const renew = async (slip: Slip, leaseMs: number): Promise<void> => {
    try {
      await hide(options, slip, leaseMs);
    } catch (error) {
      // One that SQS does not hold for this worker any more comes again by itself.
      if (!(error instanceof ReelmillError) || error.retryable) throw error;
      drop(held, slip);
    }
  };
  const hold = (slip: Slip, leaseMs: number): void => {
    const beat = (): void => void survive(() => renew(slip, leaseMs));
    held.set(slip, setInterval(beat, leaseMs / RENEWALS_PER_LEASE).unref());
  };
  return {
    ring: async (message) => {
      const url = queueUrls[message.queue];
      if (url !== undefined) await survive(() => send(options, url, message));
    },
    wait: async (timeoutMs, signal) => {
      const hasWorked = await survive(async () => {
        await letGo(options, held, restMs);
        await waitForSlip(options, hold, timeoutMs, signal);
      });
      if (!hasWorked) await pause(Math.min(timeoutMs, PAUSE_MS), signal);
    },
    tidy: async (signal) => {
      await survive(async () => {
        for (const slip of held.keys()) if (await removeIfDone(options, slip)) drop(held, slip);
        const queues = Object.entries(queueUrls);
        await Promise.all(queues.map(async ([queue, url]) => await removeDone(options, queue, url, signal)));
      });
    },
    close: async () => {
      if (held.size > 0) await survive(() => letGo(options, held, 0));
    },
  };
}

async function send({ client }: SqsBellOptions, url: string, { id, sk, ref, delayMs }: SentMessage): Promise<void> {
  const body: z.infer<typeof SLIP> = { id, sk, ...ref };
  const request = new SendMessageCommand({
    QueueUrl: url,
    MessageBody: JSON.stringify(body),
    DelaySeconds: Math.min(MAX_DELAY_SECONDS, Math.ceil(delayMs / 1000)),
  });
  await asking(url, () => client.send(request));
}

async function hide({ client }: SqsBellOptions, { url, receipt }: Slip, forMs: number): Promise<void> {
  const VisibilityTimeout = Math.ceil(forMs / 1000);
  const request = new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle: receipt, VisibilityTimeout });
  await asking(url, () => client.send(request));
}

function drop(held: HeldSlips, slip: Slip): void {
  clearInterval(held.get(slip));
  held.delete(slip);
}

/** For how long the queue hides what is received: asked each time, because who runs it may set it anew under workers that live. */
async function findLeaseMs({ client }: SqsBellOptions, url: string): Promise<number> {
  const request = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["VisibilityTimeout"] });
  const { Attributes = {} } = await asking(url, () => client.send(request));
  return Math.max(MIN_LEASE_MS, Number(Attributes["VisibilityTimeout"] ?? 0) * 1000);
}

/** Removes the slips of what is done; those of what is not come again after a while. */
async function letGo(options: SqsBellOptions, held: HeldSlips, afterMs: number): Promise<void> {
  for (const slip of held.keys()) {
    drop(held, slip);
    if (!(await removeIfDone(options, slip))) await hide(options, slip, afterMs);
  }
}

/** Whether what the slip tells of is done with, and the slip therefore gone. */
async function removeIfDone({ client, table }: SqsBellOptions, slip: Slip): Promise<boolean> {
  const { queue, url, receipt, message } = slip;
  if (message !== undefined && (await isMessage(table, queue, message.sk))) return false;
  await asking(url, () => client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receipt })));
  return true;
}

/**
 * Slips that tell of work are hidden from the questions that follow, so that those behind them are seen, and let go of in the end. As many as are
 * asked about at most: where more of them wait, SQS shows others the next time.
 */
async function removeDone(options: SqsBellOptions, queue: string, url: string, signal: AbortSignal): Promise<void> {
  const received = new Set<Slip>();
  try {
    for (let questions = 0; questions < MAX_TIDY_QUESTIONS; questions++) {
      const slips = await receive(options, queue, url, 0, signal);
      if (slips.length === 0) return;
      for (const slip of slips) received.add(slip);
      for (const slip of slips) if (await removeIfDone(options, slip)) received.delete(slip);
    }
  } finally {
    for (const slip of received) await hide(options, slip, 0).catch(() => undefined);
  }
}

/** Waits at all queues at once; holds the first slip of each that tells of something, and lets go of all others. */
async function waitForSlip(
  options: SqsBellOptions,
  hold: (slip: Slip, leaseMs: number) => void,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const found = new AbortController();
  const either = AbortSignal.any([signal, found.signal]);
  const endAtMs = options.clock.monotonicMs() + timeoutMs;
  if (Object.keys(options.queueUrls).length === 0) await pause(timeoutMs, signal);
  const waits = Object.entries(options.queueUrls).map(async ([queue, url]) => {
    do {
      const leftMs = Math.max(0, endAtMs - options.clock.monotonicMs());
      for (const slip of await receive(options, queue, url, leftMs, either)) {
        if (await removeIfDone(options, slip)) continue;
        if (either.aborted) await hide(options, slip, 0);
        else {
          hold(slip, await findLeaseMs(options, url));
          found.abort();
        }
      }
      if (options.longPollSeconds === 0) await pause(Math.min(leftMs, PAUSE_MS), either);
    } while (!either.aborted && options.clock.monotonicMs() < endAtMs);
  });
  // One that fails must not leave the others waiting.
  for (const wait of waits) wait.catch(() => found.abort());
  const outcomes = await Promise.allSettled(waits);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

async function receive(
  { client, longPollSeconds }: SqsBellOptions,
  queue: string,
  url: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<readonly Slip[]> {
  const request = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: MAX_SLIPS,
    WaitTimeSeconds: Math.min(longPollSeconds, Math.ceil(waitMs / 1000)),
  });
  try {
    const { Messages = [] } = await asking(url, () => client.send(request, { abortSignal: signal }));
    return Messages.map((message) => toSlip(queue, url, message));
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  }
}

/** Slips are hostile: whoever may write to the queue may have written anything. */
function toSlip(queue: string, url: string, { Body = "", ReceiptHandle = "" }: Message): Slip {
  return { queue, url, receipt: ReceiptHandle, message: parseSlip(Body) };
}

function parseSlip(body: string): z.infer<typeof SLIP> | undefined {
  try {
    return SLIP.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
