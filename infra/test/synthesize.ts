import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { endRun } from "../../test/support/guard-process.ts";
import { createReelmill } from "../src/reelmill.ts";
import { OTHER_SETTINGS } from "./templates.fixture.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Folder of the templates that the contract's own numbers give, for all of its pipelines. */
    readonly assembly: string;
    /** Folder of those for the pipelines that there are, with all settings that add something. */
    readonly otherwise: string;
    /** Lives as long as the whole run. */
    readonly runFolder: string;
  }
}

function contextOf(settings: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`reelmill:${name}`, String(value)]));
}

/** Makes the templates once for all tests, by the rules of cdk-nag; removes them at the end, and throws where a process that a test left behind was refused a way out. */
export function setup(project: TestProject): () => void {
  const runFolder = mkdtempSync(join(tmpdir(), "reelmill-infra-"));
  const outdir = join(runFolder, "assembly");
  createReelmill({ outdir, pipelines: ["hls", "stereo", "clip"] }).app.synth();
  project.provide("assembly", outdir);
  const otherwise = join(runFolder, "otherwise");
  // The library's own validation is half of the time; what all have in common went through it.
  createReelmill({
    outdir: otherwise,
    context: contextOf(OTHER_SETTINGS),
    builtinCloudFormationValidation: false,
  }).app.synth();
  project.provide("otherwise", otherwise);
  project.provide("runFolder", runFolder);
  return () => endRun(runFolder);
}
