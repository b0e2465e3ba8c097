import { setTimeout as delay } from "node:timers/promises";
import { MessageChannel, Worker } from "node:worker_threads";
import { withoutSecrets } from "../../../base/config.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { moduleBeside } from "../../../base/module-url.ts";
import type { ObjectInfo, ObjectPart } from "../../../jobs/object-store.ts";
import type { StageContext } from "../../../jobs/pipeline.ts";
import type { OutputPart } from "../../../repair/write/layout.ts";
import { type BlockServer, createBlockServer } from "./block-server.ts";
import type { MeteredReads } from "./metered-reads.ts";
import {
  BLOCK_BYTES,
  type FromThread,
  type RangedEnding,
  type RangedWork,
  type SharedBlocks,
  SLOT_COUNT,
  type ThreadStart,
  type ToThread,
} from "./protocol.ts";
import { startViewServer, type ViewServer } from "./view-server.ts";

/** How long a thread may take to end that has nothing to do any more. */
const END_GRACE_MS = 2000;

/** What of a stage the work needs. */
export type Surroundings = Pick<StageContext, "objects" | "environment" | "signal" | "onProgress">;

/** What the store is to put there for a part that the engine planned. */
export function toObjectPart(part: OutputPart, from: ObjectInfo): ObjectPart {
  if (part.kind === "bytes") return part;
  return { kind: "range", from, range: { start: part.startOffset, end: part.endOffset } };
}

/**
 * Has a thread do the work, and brings it what it reads of the objects; `objects` are all that the work names. Throws what kept the thread from
 * doing it; a failure of the work itself is an ending.
 */
export async function runThread(
  work: RangedWork,
  infos: readonly ObjectInfo[],
  reads: MeteredReads,
  { environment, signal, onProgress }: Surroundings,
): Promise<RangedEnding> {
  const blocks: SharedBlocks = {
    states: new SharedArrayBuffer(SLOT_COUNT * Int32Array.BYTES_PER_ELEMENT),
    data: new SharedArrayBuffer(SLOT_COUNT * BLOCK_BYTES),
  };
  const { port1, port2 } = new MessageChannel();
  const server = createBlockServer(reads.read, infos, blocks, port1);
  // It works at hostile files, and what it starts inherits its environment.
  const env = withoutSecrets(environment);
  const workerData: ThreadStart = { work, objects: infos, environment: env, blocks, failures: port2 };
  const options = { workerData, env: { ...env }, transferList: [port2] };
  const worker = new Worker(moduleBeside(import.meta.url, "repair-thread"), options);
  const gone = new Promise<void>((resolve) => {
    worker.once("exit", () => resolve());
  });
  const views = createViews(reads, infos, worker);
  const stop = (): void => {
    worker.postMessage({ kind: "stop" } satisfies ToThread);
    server.stop();
  };
  signal.addEventListener("abort", stop, { once: true });
  // It may have been given while the objects were asked for.
  if (signal.aborted) stop();
  try {
    return await new Promise<RangedEnding>((resolve, reject) => {
      worker.on("message", (message: FromThread) => {
        if (message.kind === "ended") resolve(message.ending);
        else if (message.kind === "progress") onProgress(message.fraction, message.phase);
        else if (message.kind === "view") views.show(message).catch(reject);
        else serve(server, message);
      });
      worker.once("error", reject);
      worker.once("exit", () => reject(new ReelmillError("INTERNAL", "The thread of the repair ended early.")));
    });
  } finally {
    signal.removeEventListener("abort", stop);
    // It may be left waiting for a block where this side failed.
    stop();
    await endThread(worker, gone);
    await views.close();
    port1.close();
  }
}

/** Lets the thread end by itself: one that is ended from outside while it does so may take the process with it. */
async function endThread(worker: Worker, gone: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const isLate = delay(END_GRACE_MS, true, { signal: timer.signal }).catch(() => false);
  if (await Promise.race([gone.then(() => false), isLate])) await worker.terminate();
  timer.abort();
}

function serve(server: BlockServer, { key, firstBlock, slots }: FromThread & { readonly kind: "fetch" }): void {
  // What goes wrong is the thread's to hear.
  void server.fetch(key, firstBlock, slots);
}

/** Shows the thread's outputs to the programs that it starts; listens once there is something to show. */
function createViews(reads: MeteredReads, infos: readonly ObjectInfo[], worker: Worker) {
  let started: Promise<ViewServer> | undefined;
  return {
    show: async ({ key, parts }: { readonly key: string; readonly parts: readonly OutputPart[] }): Promise<void> => {
      started ??= startViewServer(reads.read);
      const server = await started;
      const from = infos.find((info) => info.key === key);
      const shown = from === undefined ? [] : parts.map((part) => toObjectPart(part, from));
      worker.postMessage({ kind: "view", url: server.show(shown) } satisfies ToThread);
    },
    close: async (): Promise<void> => {
      const server = await started?.catch(() => undefined);
      await server?.close();
    },
  };
}
