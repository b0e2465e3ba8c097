import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { runBench } from "../measuring/program.ts";
import { measurePackages } from "./measure.ts";
import { type HlsBenchOptions, parseHlsBenchOptions, USAGE } from "./options.ts";
import { formatMarkdown, formatTable } from "./table.ts";
import { missedTargets } from "./targets.ts";

async function measure(options: HlsBenchOptions, workFolder: string): Promise<boolean> {
  const { height, seconds, rounds, preset } = options;
  console.log(
    `${availableParallelism()} cores, a source of ${height}p and ${seconds} s, x264 ${preset}, rounds in turns: ${rounds}`,
  );
  const result = await measurePackages(options, workFolder);
  console.log(`${result.rungs.join(", ")}\n\n${formatTable(result)}`);
  const missed = missedTargets(result);
  console.log(missed.length === 0 ? "\nAll targets are reached." : `\n✗ ${missed.join("\n✗ ")}`);
  if (options.markdown) console.log(`\n${formatMarkdown(result)}`);
  if (options.jsonPath !== undefined)
    writeFileSync(options.jsonPath, JSON.stringify({ ...result, missed }, undefined, 2));
  return missed.length === 0;
}

await runBench({ usage: USAGE, parse: parseHlsBenchOptions, measure });
