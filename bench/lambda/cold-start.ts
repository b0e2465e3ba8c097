/** One cold start: `node cold-start.ts <folder> <extension> <function>`; imports the function, makes its handler, and prints how long that took. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { FUNCTIONS } from "../../src/apps/lambda/functions.ts";
import type { openWorld } from "../../src/apps/lambda/open.ts";

const [folder = "", extension = "", name = ""] = process.argv.slice(2);
const load = async (module: string): Promise<unknown> =>
  await import(pathToFileURL(join(folder, `${module}${extension}`)).href);
const startCpu = process.cpuUsage();
const startMs = performance.now();
const opening = (await load("open")) as { readonly openWorld: typeof openWorld };
const functions = (await load("functions")) as { readonly FUNCTIONS: typeof FUNCTIONS };
const importedMs = performance.now() - startMs;
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const world = opening.openWorld(process.env, clock, (line) => void process.stderr.write(line));
await functions.FUNCTIONS[name]?.(world);
const wallMs = performance.now() - startMs;
const { user, system } = process.cpuUsage(startCpu);
process.stdout.write(JSON.stringify({ importedMs, wallMs, cpuMs: (user + system) / 1000 }));
process.exit();
