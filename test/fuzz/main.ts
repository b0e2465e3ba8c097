import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type CampaignOptions, type FoundFault, reproduce, runCampaign } from "./campaign.ts";
import { CORPUS_FOLDER, saveCorpusEntry } from "./corpus.ts";
import { makeSeeds, RECORDING_NAMES } from "./seeds.ts";
import { FUZZ_TARGETS } from "./targets.ts";

const USAGE = `Usage: node test/fuzz/main.ts [switches]

  --iterations <n>   mutated inputs over all targets; default 20000
  --seed <n>         chooses the inputs; default 1
  --only <name>      targets whose name contains it: ${FUZZ_TARGETS.map(({ name }) => name).join(", ")}
  --recordings <a,b> of ${RECORDING_NAMES.join(", ")}; default all
  --workers <n>      threads; default one per processor
  --no-save          do not keep failing inputs in test/fuzz/corpus`;

/** Runs the campaigns and returns how many causes of failure they found. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      iterations: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      only: { type: "string", default: "" },
      recordings: { type: "string" },
      workers: { type: "string", default: String(availableParallelism()) },
      "no-save": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const targets = FUZZ_TARGETS.filter(({ name }) => name.includes(values.only));
  const seeds = makeSeeds(values.recordings?.split(","));
  const iterations = Math.ceil(Number(values.iterations) / targets.length);
  let causes = 0;
  for (const { name } of targets) {
    const options = {
      target: name,
      iterations,
      randomSeed: Number(values.seed),
      seeds,
      workerCount: Number(values.workers),
    };
    const startedAt = performance.now();
    const { faults } = await runCampaign(options);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    print(`${name}: ${iterations} inputs of ${seeds.length} seeds in ${seconds} s, ${faults.length} causes of failure`);
    for (const found of faults) report(options, found, !values["no-save"]);
    causes += faults.length;
  }
  return causes;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function report(options: CampaignOptions, found: FoundFault, saves: boolean): void {
  const { seed, mutant } = reproduce(options, found);
  print(`  ${found.signature} (${found.count} times)\n    ${found.fault.message}`);
  const id = createHash("sha256").update(found.signature).digest("hex").slice(0, 8);
  const name = `${options.target}-${found.fault.kind}-${id}`;
  if (!saves) return;
  const recording = seed.name.split(":")[0] ?? seed.name;
  saveCorpusEntry({ name, target: options.target, recording, bytes: mutant.bytes }, [
    `made from: ${seed.name}, seed ${options.randomSeed}, iteration ${found.iteration}`,
    `mutations: ${mutant.steps.join("; ")}`,
    `seen: ${found.fault.message}`,
    `where: ${found.signature}`,
  ]);
  print(`    kept as ${CORPUS_FOLDER}/${name}.bin`);
}

process.exitCode = (await main()) === 0 ? 0 : 1;
