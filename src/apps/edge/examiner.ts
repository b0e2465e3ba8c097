import { Worker } from "node:worker_threads";
import type { Environment } from "../../base/config-defaults.ts";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { moduleBeside } from "../../base/module-url.ts";
import type { Examination } from "../../pipelines/repair/index.ts";

/** Tells healthy files from damaged ones, in a thread of its own: reads from a share that hangs would hold up all else. */
export interface Examiner {
  /** Throws as `examineRecording`, and STORE_UNAVAILABLE where there is no answer within a minute. */
  examine(path: string, signal: AbortSignal): Promise<Examination>;
  close(): Promise<void>;
}

/** What the thread is asked. */
export type ExamineQuestion =
  | { readonly kind: "examine"; readonly id: number; readonly path: string }
  | { readonly kind: "cancel"; readonly id: number };

/** What the thread answers. */
export type ExamineAnswer =
  | { readonly id: number; readonly examination: Examination }
  | {
      readonly id: number;
      readonly failure: { readonly code: ErrorCode; readonly message: string; readonly system: string | undefined };
    };

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, (answer: ExamineAnswer | Error) => void>;
}

const ANSWER_TIMEOUT_MS = 60_000;

/** An examiner whose thread is started with the first question, and anew after one that got stuck. */
export function createExaminer(environment: Environment): Examiner {
  let thread: Thread | undefined;
  let lastId = 0;
  const give = (): Thread => {
    if (thread !== undefined) return thread;
    const started = startThread(environment, () => {
      // One that was left behind ends when there is another already.
      if (thread === started) thread = undefined;
    });
    thread = started;
    return started;
  };
  return {
    examine: async (path, signal) => {
      const id = ++lastId;
      const used = give();
      const answer = await ask(used, id, path, signal, () => {
        // Stuck in a call to the system, it cannot even be ended; it is left behind.
        thread = undefined;
        void used.worker.terminate();
      });
      if ("examination" in answer) return answer.examination;
      const { code, message, system } = answer.failure;
      const cause = system === undefined ? undefined : Object.assign(new Error(system), { code: system });
      throw new ReelmillError(code, message, { cause });
    },
    close: async () => {
      await thread?.worker.terminate();
    },
  };
}

function startThread(environment: Environment, onEnd: () => void): Thread {
  const worker = new Worker(moduleBeside(import.meta.url, "examine-thread"), { workerData: { environment } });
  // Between questions it keeps nobody from ending.
  worker.unref();
  const waiting: Thread["waiting"] = new Map();
  const end = (reason: Error): void => {
    onEnd();
    for (const settle of waiting.values()) settle(reason);
  };
  worker.on("message", (answer: ExamineAnswer) => waiting.get(answer.id)?.(answer));
  worker.on("error", (error) =>
    end(new ReelmillError("INTERNAL", `The examination failed: ${error.message}`, { cause: error })),
  );
  worker.on("exit", () => end(new ReelmillError("ABORTED", "The examination was ended.")));
  return { worker, waiting };
}

async function ask(
  { worker, waiting }: Thread,
  id: number,
  path: string,
  signal: AbortSignal,
  onStuck: () => void,
): Promise<ExamineAnswer> {
  const post = (question: ExamineQuestion): void => worker.postMessage(question);
  const { promise, resolve: settle, reject: fail } = Promise.withResolvers<ExamineAnswer>();
  const cancel = (): void => {
    post({ kind: "cancel", id });
    // A thread that is stuck would not say so.
    fail(new ReelmillError("ABORTED", `The examination of ${path} was cancelled.`));
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    waiting.set(id, (answer) => (answer instanceof Error ? fail(answer) : settle(answer)));
    timer = setTimeout(() => {
      fail(new ReelmillError("STORE_UNAVAILABLE", `${path} could not be read within a minute.`));
      onStuck();
    }, ANSWER_TIMEOUT_MS);
    signal.addEventListener("abort", cancel);
    worker.ref();
    post({ kind: "examine", id, path });
    if (signal.aborted) cancel();
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  }
}
