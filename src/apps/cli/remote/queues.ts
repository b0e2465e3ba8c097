import { ReelmillError } from "../../../base/errors.ts";
import type { CliContext } from "../cli-context.ts";
import { connect } from "../client/connect.ts";
import { pathPart } from "../client/paths.ts";
import { QUEUE, QUEUES, type QueueView } from "../client/views.ts";
import { EXIT_OK } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import type { RemoteOptions } from "./options.ts";
import { formatAge, formatJson } from "./text.ts";

const DRAIN_INTERVAL_MS = 500;

/** Shows how full each queue is, as a table or as JSON. Gives 0. Throws what `ApiClient` does. */
export async function runQueuesListCommand(options: RemoteOptions, context: CliContext): Promise<number> {
  const client = await connect(options, context);
  const { raw, value } = await client.ask("/v1/queues", QUEUES);
  if (options.json) context.writeOutput(formatJson(raw));
  else context.writeOutput(formatQueues(value.queues, context.clock.nowMs()));
  return EXIT_OK;
}

/** Pauses or resumes a queue. Gives 0. Throws QUEUE_UNKNOWN, USAGE and what `ApiClient` does. */
export async function runQueueActionCommand(
  action: "pause" | "resume",
  queue: string,
  options: RemoteOptions,
  context: CliContext,
): Promise<number> {
  const path = `/v1/queues/${pathPart(queue, "queue's name")}/${action}`;
  const client = await connect(options, context);
  const { raw, value } = await client.ask(path, QUEUE, { method: "POST" });
  if (options.json) context.writeOutput(formatJson(raw));
  else context.writeOutput(formatQueues([value], context.clock.nowMs()));
  return EXIT_OK;
}

/**
 * Pauses a queue and waits until nothing of it is in flight any more; Ctrl-C ends the waiting, not the pause. Gives 0. Throws
 * QUEUE_UNKNOWN, USAGE, ABORTED and what `ApiClient` does.
 */
export async function runQueuesDrainCommand(
  queue: string,
  options: RemoteOptions,
  context: CliContext,
): Promise<number> {
  const path = `/v1/queues/${pathPart(queue, "queue's name")}/pause`;
  const client = await connect(options, context);
  let drained = await client.ask(path, QUEUE, { method: "POST" });
  while (drained.value.inFlight > 0) {
    await context.sleep(DRAIN_INTERVAL_MS, context.signal);
    if (context.signal.aborted) throw new ReelmillError("ABORTED", `Cancelled; the queue ${queue} stays paused.`);
    // Pausing what is paused changes nothing, and gives the queue as it is.
    drained = await client.ask(path, QUEUE, { method: "POST" });
  }
  if (options.json) context.writeOutput(formatJson(drained.raw));
  else context.writeOutput(formatQueues([drained.value], context.clock.nowMs()));
  return EXIT_OK;
}

/** Queues as a table; the oldest message's age against the machine's own clock. */
export function formatQueues(queues: readonly QueueView[], nowMs: number): string {
  if (queues.length === 0) return "No queues yet.\n";
  const columns = [
    { title: "queue" },
    { title: "waiting", align: "right" },
    { title: "in flight", align: "right" },
    { title: "dead", align: "right" },
    { title: "state" },
    { title: "oldest waits for" },
  ] as const;
  const rows = queues.map((queue) => [
    queue.queue,
    String(queue.waiting),
    String(queue.inFlight),
    String(queue.dead),
    queue.isPaused ? "paused" : "open",
    formatAge(queue.oldestSentAt, nowMs),
  ]);
  return formatTable(columns, rows);
}
