import { parentPort, workerData } from "node:worker_threads";
import type { Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { rootCodeOf } from "../../base/system-code.ts";
import { examineRecording } from "../../pipelines/repair/index.ts";
import type { ExamineAnswer, ExamineQuestion } from "./examiner.ts";
import { messageOf } from "./system-errors.ts";

// What the examiner's thread runs.
const { environment } = workerData as { readonly environment: Environment };
const running = new Map<number, AbortController>();

async function answer(id: number, path: string): Promise<ExamineAnswer> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    return { id, examination: await examineRecording(path, { environment, signal: controller.signal }) };
  } catch (error) {
    const code = error instanceof ReelmillError ? error.code : "INTERNAL";
    return { id, failure: { code, message: messageOf(error), system: rootCodeOf(error) } };
  } finally {
    running.delete(id);
  }
}

parentPort?.on("message", async (question: ExamineQuestion) => {
  if (question.kind === "cancel") running.get(question.id)?.abort();
  else parentPort?.postMessage(await answer(question.id, question.path));
});
