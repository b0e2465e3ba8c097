import { setTimeout as delay } from "node:timers/promises";
import { MessageChannel, Worker } from "node:worker_threads";
import { withoutSecrets } from "../../../base/config.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { moduleBeside } from "../../../base/module-url.ts";
import { runPool } from "../../../base/run-pool.ts";
import type { ObjectInfo, ObjectPart } from "../../../jobs/object-store.ts";
import type { StageContext } from "../../../jobs/pipeline.ts";
import type { OutputPart } from "../../../repair/write/layout.ts";
import type { FileResult } from "../result.ts";
import { type BlockServer, createBlockServer } from "./block-server.ts";
import { type MeteredReads, meterReads } from "./metered-reads.ts";
import {
  BLOCK_BYTES,
  type FromThread,
  type RangedEnding,
  type RangedJob,
  revealError,
  type SharedBlocks,
  SLOT_COUNT,
  type ThreadStart,
  type ToThread,
} from "./protocol.ts";
import { startViewServer, type ViewServer } from "./view-server.ts";

const MAX_HEADS_AT_ONCE = 16;
/** How long a thread may take to end that has nothing to do any more. */
const END_GRACE_MS = 2000;

/** How a repair of an object ended. */
export interface RangedRepair {
  /** Undefined where another program has to do the work, which needs files. */
  readonly result: FileResult | undefined;
  /** Whether that program uses the references. */
  readonly usesReferences: boolean;
  /** What the output is to be made of, checked as the job has it; undefined where there is none. */
  readonly parts: readonly ObjectPart[] | undefined;
  readonly downloadedBytes: number;
}

/** What of a stage the repair needs. */
type Surroundings = Pick<StageContext, "objects" | "environment" | "signal" | "onProgress">;

/**
 * Repairs an object without a file of it: the engine reads ranges as it goes, and the checks read the output as it would be. Nothing is
 * written. Names in the result are keys. Throws OBJECT_NOT_FOUND, what the store's reads throw, ABORTED.
 */
export async function repairRanged(wanted: RangedJob, surroundings: Surroundings): Promise<RangedRepair> {
  const { objects, signal } = surroundings;
  if (signal.aborted) throw new ReelmillError("ABORTED", "The repair was cancelled before it began.");
  const { infos, job } = await findObjects(wanted, objects, signal);
  const reads = meterReads(objects);
  const ending = await runThread(job, infos, reads, surroundings);
  if (ending.kind === "failed") throw revealError(ending.failure);
  const downloadedBytes = reads.downloadedBytes();
  if (ending.kind === "files-needed") {
    const { usesReferences } = ending;
    return { result: undefined, usesReferences, parts: undefined, downloadedBytes };
  }
  // A check that makes do without bytes proves nothing of them.
  reads.requireNoFailure();
  const [damaged] = infos;
  return {
    result: ending.result,
    usesReferences: true,
    parts: damaged && ending.parts?.map((part) => toObjectPart(part, damaged)),
    downloadedBytes,
  };
}

/** What is known of the job's objects, in their order; neighbours, which only may serve, are left out where they are gone. */
async function findObjects(
  job: RangedJob,
  objects: Surroundings["objects"],
  signal: AbortSignal,
): Promise<{ readonly infos: readonly ObjectInfo[]; readonly job: RangedJob }> {
  const needed = [job.input, ...job.references];
  const found: (ObjectInfo | undefined)[] = [];
  await runPool([...[...needed, ...job.neighbours].entries()], MAX_HEADS_AT_ONCE, signal, async ([index, key]) => {
    const info = await objects.head(key);
    if (info === undefined && index < needed.length) {
      throw new ReelmillError("OBJECT_NOT_FOUND", `There is no object ${key}.`);
    }
    found[index] = info;
  });
  const infos = found.filter((info) => info !== undefined);
  return { infos, job: { ...job, neighbours: infos.slice(needed.length).map(({ key }) => key) } };
}

function toObjectPart(part: OutputPart, from: ObjectInfo): ObjectPart {
  if (part.kind === "bytes") return part;
  return { kind: "range", from, range: { start: part.startOffset, end: part.endOffset } };
}

async function runThread(
  job: RangedJob,
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
  const workerData: ThreadStart = { job, objects: infos, environment: env, blocks, failures: port2 };
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
        else if (message.kind === "view") views.show(message.parts).catch(reject);
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
function createViews(reads: MeteredReads, [damaged]: readonly ObjectInfo[], worker: Worker) {
  let started: Promise<ViewServer> | undefined;
  return {
    show: async (parts: readonly OutputPart[]): Promise<void> => {
      started ??= startViewServer(reads.read);
      const server = await started;
      const shown = damaged === undefined ? [] : parts.map((part) => toObjectPart(part, damaged));
      worker.postMessage({ kind: "view", url: server.show(shown) } satisfies ToThread);
    },
    close: async (): Promise<void> => {
      const server = await started?.catch(() => undefined);
      await server?.close();
    },
  };
}
