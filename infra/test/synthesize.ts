import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { createReelmill } from "../src/reelmill.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Folder of the templates that the contract's own numbers give, for all of its pipelines. */
    readonly assembly: string;
  }
}

/** Makes the templates once for all tests, by the rules of cdk-nag; removes them at the end. */
export function setup(project: TestProject): () => void {
  const outdir = mkdtempSync(join(tmpdir(), "reelmill-infra-"));
  createReelmill({ outdir, pipelines: ["hls", "stereo", "clip"] }).app.synth();
  project.provide("assembly", outdir);
  return () => rmSync(outdir, { recursive: true, force: true });
}
