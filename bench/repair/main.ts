import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ReelmillError } from "../../src/base/errors.ts";
import { runBench } from "../measuring/program.ts";
import { measureNodeFloor } from "../measuring/run.ts";
import { applicableDamages } from "./damage.ts";
import { type Bench, evaluate, type Row, type Subject } from "./evaluate.ts";
import { measureLarge } from "./large.ts";
import { type BenchOptions, parseBenchOptions, USAGE } from "./options.ts";
import { generatedSubjects, sampleSubjects } from "./subjects.ts";
import { formatHeading, formatMarkdown, formatRow, summariseRow } from "./table.ts";

async function measureSubjects(subjects: AsyncIterable<Subject>, options: BenchOptions, bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  console.log(formatHeading());
  for await (const subject of subjects) {
    for (const damage of applicableDamages(subject.layout)) {
      if (!options.damages.includes(damage)) continue;
      const row = await evaluate(subject, damage, bench);
      rows.push(row);
      console.log(formatRow(row));
    }
  }
  return rows;
}

async function measure(options: BenchOptions, workFolder: string): Promise<boolean> {
  const floor = await measureNodeFloor(join(workFolder, "node.log"));
  const bench: Bench = {
    workFolder,
    cacheFolder: join(options.workFolder, "analyses"),
    command: options.command,
    timeoutSeconds: options.timeoutSeconds,
    nodeFloorBytes: floor.peakBytes,
    keep: options.keep,
    decodes: options.decodes,
  };
  console.log(
    `node starts in ${(floor.wallSeconds * 1000).toFixed(0)} ms with ${(floor.peakBytes / 1e6).toFixed(0)} MB`,
  );
  if (options.isLarge) {
    const { report, isMet } = await measureLarge(options, workFolder, floor);
    if (options.jsonPath !== undefined) writeFileSync(options.jsonPath, JSON.stringify(report, undefined, 2));
    return isMet;
  }
  const { samplesFolder } = options;
  const subjects = samplesFolder === undefined ? generatedSubjects(options) : sampleSubjects(samplesFolder, options);
  const rows = await measureSubjects(subjects, options, bench);
  if (rows.length === 0)
    throw new ReelmillError("USAGE", "No case has a name and a damage that --filter and --damages let through.");
  const missed = rows.filter((row) => row.missed.length > 0);
  console.log(`\n${rows.length} runs, ${rows.length - missed.length} reach their targets, ${missed.length} do not.`);
  if (options.markdown) console.log(`\n${formatMarkdown(rows)}`);
  if (options.jsonPath !== undefined)
    writeFileSync(options.jsonPath, JSON.stringify(rows.map(summariseRow), undefined, 2));
  return missed.length === 0;
}

await runBench({ usage: USAGE, parse: parseBenchOptions, measure });
