import { parentPort, workerData } from "node:worker_threads";
import { ReelmillError } from "../../../base/errors.ts";
import type { ServedMedia } from "../../../ffmpeg/arguments.ts";
import { findProgram } from "../../../ffmpeg/programs.ts";
import type { OutputPart } from "../../../repair/write/layout.ts";
import type { WorkHooks } from "../hooks.ts";
import { repairNatively } from "../native.ts";
import type { RepairPlace } from "../place.ts";
import type { RepairTask } from "../plan.ts";
import type { Recordings } from "../recordings.ts";
import { createReferencePool } from "../references.ts";
import { remuxedContainerOf } from "../remuxed-container.ts";
import { mayUntruncHelp, toResult } from "../work.ts";
import { type BlockCache, createBlockCache } from "./block-cache.ts";
import { createComposedSource } from "./composed-source.ts";
import { carryError, type FromThread, type RangedEnding, type ThreadStart, type ToThread } from "./protocol.ts";

// What the thread runs that the engine works in while another one reads for it.
const start = workerData as ThreadStart;
const controller = new AbortController();
let onView: (media: ServedMedia) => void = () => undefined;

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

parentPort?.on("message", (message: ToThread) => {
  if (message.kind === "stop") controller.abort();
  else onView({ url: message.url });
});

async function view(parts: readonly OutputPart[]): Promise<ServedMedia> {
  const { promise, resolve } = Promise.withResolvers<ServedMedia>();
  onView = resolve;
  tell({ kind: "view", parts });
  return await promise;
}

/** The objects that the job names; there are no folders of them. */
function createRecordings(cache: BlockCache): Recordings {
  const objects = new Map(start.objects.map((info) => [info.key, info]));
  return {
    open: (key) => {
      const info = objects.get(key);
      if (info === undefined) throw new ReelmillError("INTERNAL", `${key} was not announced.`);
      return cache.open(info);
    },
    stat: (key) => {
      const info = objects.get(key);
      return info && { identity: key, modifiedAtMs: info.modifiedAtMs };
    },
    isFolder: () => false,
    list: () => [],
  };
}

/** Nothing is written: what would be is shown to whoever checks it, and `onPublish` hears of what passed. */
function createPlace(cache: BlockCache, onPublish: (parts: readonly OutputPart[]) => void): RepairPlace {
  return {
    recordings: createRecordings(cache),
    createDraft: (damaged, target) => ({
      begin: () => undefined,
      write: async ({ parts }) => ({
        open: () => createComposedSource(damaged, parts, target),
        media: () => view(parts),
        publish: () => onPublish(parts),
      }),
      discard: async () => undefined,
    }),
  };
}

async function work(): Promise<RangedEnding> {
  const { job, environment, blocks, failures } = start;
  const cache = createBlockCache(blocks, failures, (key, firstBlock, slots) => {
    tell({ kind: "fetch", key, firstBlock, slots });
  });
  let parts: readonly OutputPart[] | undefined;
  const place = createPlace(cache, (published) => {
    parts = published;
  });
  const { references, neighbours, faststart, engine, verify, input, output } = job;
  const { signal } = controller;
  const options = { references, neighbours, output, inPlace: false, faststart, engine, dryRun: false, verify };
  const task: RepairTask = {
    input,
    output,
    makesFolder: false,
    references: createReferencePool(references, neighbours, place.recordings),
    options: { ...options, environment, signal },
    place,
  };
  const hooks: WorkHooks = {
    signal,
    onProgress: (fraction, phase) => tell({ kind: "progress", fraction, phase }),
  };
  let isRemuxed = false;
  let isForUntrunc = false;
  const result = await toResult(input, async (notices) => {
    const damaged = place.recordings.open(input);
    isRemuxed = remuxedContainerOf(damaged) !== undefined;
    if (isRemuxed) throw new ReelmillError("INTERNAL", "Another program is to mend it.");
    try {
      return await repairNatively({ task, damaged, hooks, notices });
    } catch (error) {
      const isMendable = engine === "auto" && mayUntruncHelp(error);
      isForUntrunc = isMendable && (await findProgram("untrunc", environment)) !== undefined;
      throw error;
    }
  });
  if (isRemuxed || isForUntrunc) return { kind: "files-needed", usesReferences: isForUntrunc };
  return { kind: "result", result, parts };
}

const ending = await work().catch((error: unknown): RangedEnding => ({ kind: "failed", failure: carryError(error) }));
tell({ kind: "ended", ending });
// Nothing else holds the thread.
parentPort?.close();
start.failures.close();
