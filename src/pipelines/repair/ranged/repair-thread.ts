import { parentPort, workerData } from "node:worker_threads";
import { ReelmillError } from "../../../base/errors.ts";
import { formatBytes } from "../../../base/units.ts";
import type { ServedMedia } from "../../../ffmpeg/arguments.ts";
import { findProgram } from "../../../ffmpeg/programs.ts";
import type { OutputPart } from "../../../repair/write/layout.ts";
import { examineRecording, findHealthy } from "../examine.ts";
import type { WorkHooks } from "../hooks.ts";
import { repairNatively } from "../native.ts";
import type { RepairPlace } from "../place.ts";
import type { RepairTask } from "../plan.ts";
import type { Recording, Recordings } from "../recordings.ts";
import { createReferencePool } from "../references.ts";
import { remuxedContainerOf } from "../remuxed-container.ts";
import { mayUntruncHelp, toResult } from "../work.ts";
import { type BlockCache, createBlockCache } from "./block-cache.ts";
import { createComposedSource } from "./composed-source.ts";
import {
  BLOCK_BYTES,
  carryError,
  type FromThread,
  type RangedEnding,
  type RangedJob,
  type ThreadStart,
  type ToThread,
} from "./protocol.ts";

// What the thread runs that the engine works in while another one reads for it.

/** A few requests for each: over a network a look at hundreds of samples takes long. */
const TRIED_SAMPLES = 16;
/** One that takes more to examine, such as for gigabytes of zeros at its end, is no reference. */
const MAX_EXAMINED_BLOCKS = 256;

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

async function view(key: string, parts: readonly OutputPart[]): Promise<ServedMedia> {
  const { promise, resolve } = Promise.withResolvers<ServedMedia>();
  onView = resolve;
  tell({ kind: "view", key, parts });
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
    triedSamples: TRIED_SAMPLES,
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
        media: () => view(damaged.path, parts),
        publish: () => onPublish(parts),
      }),
      discard: async () => undefined,
    }),
  };
}

/** A cache, and how many blocks were asked for. */
function openCache(): { readonly cache: BlockCache; readonly blockCount: () => number } {
  let blockCount = 0;
  const cache = createBlockCache(start.blocks, start.failures, (key, firstBlock, slots) => {
    blockCount += slots.length;
    tell({ kind: "fetch", key, firstBlock, slots });
  });
  return { cache, blockCount: () => blockCount };
}

async function findReference(keys: readonly string[]): Promise<RangedEnding> {
  const { environment } = start;
  const { signal } = controller;
  const { cache, blockCount } = openCache();
  const recordings = createRecordings(cache);
  const key = await findHealthy(keys, async (candidate) => {
    const lastBlock = blockCount() + MAX_EXAMINED_BLOCKS;
    const open = (name: string): Recording => {
      const recording = recordings.open(name);
      const read: Recording["read"] = (offset, target) => {
        if (blockCount() < lastBlock) return recording.read(offset, target);
        const most = formatBytes(MAX_EXAMINED_BLOCKS * BLOCK_BYTES);
        throw new ReelmillError("REFERENCE_UNUSABLE", `${name} takes more than ${most} to be examined.`);
      };
      return { ...recording, read };
    };
    const media = (name: string): Promise<ServedMedia> => {
      const endOffset = recordings.open(name).sizeBytes;
      return view(name, [{ kind: "copy", startOffset: 0, endOffset }]);
    };
    return await examineRecording(candidate, { environment, signal }, { recordings: { ...recordings, open }, media });
  });
  return { kind: "found", key };
}

async function repair(job: RangedJob): Promise<RangedEnding> {
  const { environment } = start;
  const { cache } = openCache();
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

const { work } = start;
const working = work.kind === "repair" ? repair(work.job) : findReference(work.keys);
const ending = await working.catch((error: unknown): RangedEnding => ({ kind: "failed", failure: carryError(error) }));
tell({ kind: "ended", ending });
// Nothing else holds the thread.
parentPort?.close();
start.failures.close();
