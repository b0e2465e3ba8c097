import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ReelmillError } from "../../src/base/errors.ts";
import { LOADS, limitFor, simulateLoad } from "./measure.ts";
import { parseScaleOptions, type ScaleOptions, USAGE } from "./options.ts";
import { drawPlots } from "./plots.ts";
import { formatOutcomes } from "./tables.ts";
import { WORKS } from "./works.ts";

/** Ten times the most that was asked for. */
const BEYOND = 100_000;
const PAGE = fileURLToPath(new URL("../../docs/reference/scale.md", import.meta.url));
const IMAGES = new URL("../../docs/images/", import.meta.url);

function simulate({ seed, docs }: ScaleOptions): void {
  const outcomes = WORKS.flatMap((work) => LOADS.map((load) => simulateLoad(work, load, seed)));
  const raised = WORKS.flatMap((work) =>
    LOADS.map((load) => simulateLoad(work, load, seed, { limit: limitFor(work, load) })),
  );
  const beyond = WORKS.map((work) => simulateLoad(work, BEYOND, seed, { limit: limitFor(work, BEYOND) }));
  const [hls] = WORKS;
  // One scaling may add as many workers as there may be.
  const atOnce = [1000, 3000, 10_000, BEYOND].flatMap((load) => {
    const limit = hls === undefined ? 0 : limitFor(hls, load);
    return hls === undefined ? [] : [simulateLoad(hls, load, seed, { limit, step: limit })];
  });
  const tables = {
    contract: formatOutcomes(outcomes),
    raised: formatOutcomes([...raised.filter(({ perHour }) => perHour >= 1000), ...beyond]),
    "at once": formatOutcomes(atOnce),
  };
  for (const [name, table] of Object.entries(tables)) console.log(`${name}\n\n${table}\n`);
  if (!docs) return;
  let page = readFileSync(PAGE, "utf8");
  for (const [name, table] of Object.entries(tables)) {
    const block = new RegExp(`(<!-- simulated: ${name} -->\n)[^]*?(\n<!-- end -->)`);
    page = page.replace(block, (_all, begin, end) => `${begin}\n${table}\n${end}`);
  }
  writeFileSync(PAGE, page);
  for (const [name, svg] of drawPlots(outcomes, raised)) writeFileSync(new URL(name, IMAGES), svg);
}

try {
  const options = parseScaleOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else simulate(options);
} catch (error) {
  if (!(error instanceof ReelmillError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
