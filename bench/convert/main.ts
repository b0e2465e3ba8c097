import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { ReelmillError } from "../../src/base/errors.ts";
import { runBench } from "../measuring/program.ts";
import { type ConvertRow, type Group, measureGroup, nearestHeight, rowId } from "./measure.ts";
import { type ConvertBenchOptions, parseConvertBenchOptions, USAGE } from "./options.ts";
import { formatHeading, formatMarkdown, formatRow } from "./table.ts";
import { CODECS, HEIGHTS, type Height, type Speed } from "./targets.ts";

/** Fast is held against the contract's AV1 alone. */
function chooseGroups(filter: RegExp, heights: readonly Height[]): readonly Group[] {
  const groups = heights.flatMap((height) =>
    CODECS.map((codec) => {
      const speeds: readonly Speed[] = codec === "av1" ? ["standard", "fast"] : ["standard"];
      return { codec, height, speeds: speeds.filter((speed) => filter.test(rowId(codec, speed, height))) };
    }),
  );
  return groups.filter(({ speeds }) => speeds.length > 0);
}

async function measure(options: ConvertBenchOptions, workFolder: string): Promise<boolean> {
  const { sourcePath } = options;
  const groups = chooseGroups(options.filter, sourcePath === undefined ? HEIGHTS : [await nearestHeight(sourcePath)]);
  if (groups.length === 0) throw new ReelmillError("USAGE", "No conversion has a name that --filter lets through.");
  const sources = sourcePath ?? `sources of ${options.seconds} s`;
  console.log(`${availableParallelism()} cores, ${sources}, ${options.rounds} rounds in turns\n`);
  console.log(formatHeading());
  const rows: ConvertRow[] = [];
  for (const group of groups) {
    const measured = await measureGroup(group, options, workFolder);
    for (const row of measured) console.log(formatRow(row));
    rows.push(...measured);
  }
  const missed = rows.filter((row) => row.missed.length > 0);
  console.log(`\n${rows.length} conversions, ${rows.length - missed.length} reach their targets.`);
  if (options.markdown) console.log(`\n${formatMarkdown(rows)}`);
  if (options.jsonPath !== undefined) writeFileSync(options.jsonPath, JSON.stringify(rows, undefined, 2));
  return missed.length === 0;
}

await runBench({ usage: USAGE, parse: parseConvertBenchOptions, measure });
