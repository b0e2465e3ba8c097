import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { endRun } from "./guard-process.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder that lives as long as the whole run: what every test file would make alike is made there once. */
    readonly runFolder: string;
  }
}

/** Makes the folder before the first test file; what it gives removes it behind the last, and throws where a process that a test left behind was refused a way out. */
export function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "reelmill-tests-"));
  provide("runFolder", folder);
  return () => endRun(folder);
}
