import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { ReelmillError } from "../../src/base/errors.ts";
import { GENERATED_CASES } from "./cases.ts";
import type { Subject } from "./evaluate.ts";
import { generatePair, listEncoders } from "./generate.ts";
import { readLayout } from "./layout.ts";
import { loopRecording } from "./loop.ts";
import type { BenchOptions } from "./options.ts";
import { GENERATED_TARGETS, SAMPLE_TARGETS } from "./targets.ts";

const RECORDING_EXTENSIONS: ReadonlySet<string> = new Set([
  ...[".mp4", ".mov", ".m4v", ".m4a", ".3gp", ".3g2", ".qt", ".insv", ".lrv", ".mkv", ".webm", ".avi"],
]);

/** Generates the pairs that the options choose, one after the other, as they are asked for. */
export async function* generatedSubjects(options: BenchOptions): AsyncGenerator<Subject> {
  const encoders = listEncoders();
  const folder = join(options.workFolder, "generated");
  for (const generated of GENERATED_CASES) {
    if (!options.filter.test(generated.id)) continue;
    if (generated.encoder !== undefined && !encoders.has(generated.encoder)) continue;
    const { victimPath, referencePath } = await generatePair(folder, generated);
    yield {
      id: generated.id,
      originalPath: victimPath,
      referencePath,
      layout: readLayout(victimPath),
      isConstantRate: generated.isConstantRate,
      ...(generated.isRemuxed === true ? {} : { targets: GENERATED_TARGETS }),
    };
  }
}

/** The recordings of a folder: each with itself as reference, then the pairs and loops asked for. */
export async function* sampleSubjects(folder: string, options: BenchOptions): AsyncGenerator<Subject> {
  const files = readdirSync(folder).sort();
  const paths = files.filter((name) => RECORDING_EXTENSIONS.has(extname(name).toLowerCase()));
  const byName = new Map(paths.map((name) => [basename(name, extname(name)), join(folder, name)]));
  for (const [name, path] of byName) {
    if (!options.filter.test(`self_${name}`)) continue;
    const subject = subjectOrNothing(`self_${name}`, path);
    if (subject !== undefined) yield subject;
  }
  for (const { victim, reference } of options.pairs) {
    const id = `pair_${victim}__${reference}`;
    if (options.filter.test(id)) yield sampleSubject(id, byPath(byName, victim), byPath(byName, reference));
  }
  for (const { name, times } of options.loops) {
    if (!options.filter.test(`loop_${name}`)) continue;
    const path = byPath(byName, name);
    const loopFolder = join(options.workFolder, "loops");
    mkdirSync(loopFolder, { recursive: true });
    const looped = join(loopFolder, `${name}_x${times}${extname(path)}`);
    if (!existsSync(looped)) loopRecording(path, looped, times);
    yield sampleSubject(`loop_${name}`, looped, path);
  }
}

function byPath(byName: ReadonlyMap<string, string>, name: string): string {
  const path = byName.get(name);
  if (path === undefined) {
    throw new ReelmillError("USAGE", `No recording named ${name}; there are ${[...byName.keys()].join(", ")}.`);
  }
  return path;
}

/** A folder may hold what is no measure for anything, such as a movie whose payload lies in another file; it is named and left out. */
function subjectOrNothing(id: string, path: string): Subject | undefined {
  try {
    return sampleSubject(id, path, path);
  } catch (error) {
    if (!(error instanceof ReelmillError)) throw error;
    console.log(`${id} is left out: ${error.message}`);
    return undefined;
  }
}

function sampleSubject(id: string, originalPath: string, referencePath: string): Subject {
  const layout = readLayout(originalPath);
  const isEngine = layout.kind === "mp4" || layout.kind === "fragmented";
  const base = { id, originalPath, referencePath, layout, isConstantRate: false };
  return isEngine ? { ...base, targets: SAMPLE_TARGETS } : base;
}
