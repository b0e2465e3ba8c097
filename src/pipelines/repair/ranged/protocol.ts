import type { MessagePort } from "node:worker_threads";
import type { Environment } from "../../../base/config-defaults.ts";
import { type ErrorCode, ReelmillError } from "../../../base/errors.ts";
import type { Json } from "../../../base/json.ts";
import type { ObjectInfo } from "../../../jobs/object-store.ts";
import type { OutputPart } from "../../../repair/write/layout.ts";
import type { RepairPipelineOptions } from "../options.ts";
import type { FileResult } from "../result.ts";

/** Objects are read in blocks of this size; the last one may be shorter. */
export const BLOCK_BYTES = 1024 * 1024;
/** Blocks that are held at a time, of all objects. */
export const SLOT_COUNT = 16;

/** What a slot may be in. */
export const SLOT = { pending: 0, ready: 1, failed: 2 } as const;

/** Memory of both threads. */
export interface SharedBlocks {
  /** One of `SLOT` for each slot, as Int32. */
  readonly states: SharedArrayBuffer;
  /** A block for each slot. */
  readonly data: SharedArrayBuffer;
}

/** What is to be repaired: names are keys. */
export interface RangedJob extends Pick<RepairPipelineOptions, "faststart" | "engine" | "verify"> {
  readonly input: string;
  readonly output: string;
  /** Empty: chosen among the neighbours. */
  readonly references: readonly string[];
  readonly neighbours: readonly string[];
}

/** What the thread is to do. */
export type RangedWork =
  | { readonly kind: "repair"; readonly job: RangedJob }
  /** Find the first of these keys whose object plays and may teach others. */
  | { readonly kind: "find-healthy"; readonly keys: readonly string[] };

/** What the thread is started with. */
export interface ThreadStart {
  readonly work: RangedWork;
  /** All that the work names. */
  readonly objects: readonly ObjectInfo[];
  readonly environment: Environment;
  readonly blocks: SharedBlocks;
  /** Brings a `BlockFailure` before a slot is said to have failed: the thread looks there without a turn of its loop. */
  readonly failures: MessagePort;
}

/** What the thread is told. */
export type ToThread =
  | { readonly kind: "stop" }
  /** Where the view that was asked for can be seen. */
  | { readonly kind: "view"; readonly url: string };

/** What the thread asks for and tells. */
export type FromThread =
  /** Asks for blocks one behind the other, for a slot each. */
  | { readonly kind: "fetch"; readonly key: string; readonly firstBlock: number; readonly slots: readonly number[] }
  | { readonly kind: "progress"; readonly fraction: number; readonly phase: string }
  /** Asks for a view of what is made of an object. */
  | { readonly kind: "view"; readonly key: string; readonly parts: readonly OutputPart[] }
  | { readonly kind: "ended"; readonly ending: RangedEnding };

/** How the thread's work ended. */
export type RangedEnding =
  /** `parts`: what the output is to be made of; undefined where there is none. */
  | { readonly kind: "result"; readonly result: FileResult; readonly parts: readonly OutputPart[] | undefined }
  /** Another program has to do the work, and that needs files: of the references, too, where it uses them. */
  | { readonly kind: "files-needed"; readonly usesReferences: boolean }
  /** Undefined where none of the keys is that of a healthy one. */
  | { readonly kind: "found"; readonly key: string | undefined }
  | { readonly kind: "failed"; readonly failure: CarriedError };

/** Why a slot has no content. */
export interface BlockFailure {
  readonly slot: number;
  readonly failure: CarriedError;
}

/** An error on its way between threads, which keep of objects their data alone. */
export interface CarriedError {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly advice: string;
  readonly details: Json | undefined;
}

/** What of an error goes to the other thread. */
export function carryError(error: unknown): CarriedError {
  if (error instanceof ReelmillError) {
    const { code, problem, advice, details } = error;
    return { code, problem, advice, details };
  }
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "INTERNAL", problem, advice: "", details: undefined };
}

/** The error as it was, but for its cause. */
export function revealError({ code, problem, advice, details }: CarriedError): ReelmillError {
  return new ReelmillError(code, problem, { advice, ...(details === undefined ? {} : { details }) });
}
