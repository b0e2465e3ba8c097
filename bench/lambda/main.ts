/**
 * Cold starts of every function, as sources and as the bundle of the image, each in a fresh process: `node bench/lambda/main.ts [rounds] [--no-cache]`. The
 * compiled forms are kept between rounds, as the image has them, but for `--no-cache`; nothing is asked of AWS. Ends with status 1 where an import of the
 * bundle takes longer than is wanted.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FUNCTIONS } from "../../src/apps/lambda/functions.ts";
import { formatHeading, formatLine } from "../measuring/table.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const TARGET_MS = 300;
const PLACES = [
  { title: "sources", folder: at("../../src/apps/lambda"), extension: ".ts" },
  { title: "bundle", folder: at("../../dist/apps/lambda"), extension: ".js" },
] as const;

interface Start {
  readonly importedMs: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

interface Row {
  readonly place: string;
  readonly name: string;
  /** The best of all rounds: others on the machine can only add to it. */
  readonly best: Start;
}

const folder = mkdtempSync(join(tmpdir(), "reelmill-cold-"));
const environment = {
  PATH: process.env["PATH"],
  ...(process.argv.includes("--no-cache") ? {} : { NODE_COMPILE_CACHE: join(folder, "compiled") }),
  REELMILL_BACKEND: "aws",
  REELMILL_DATA: join(folder, "data"),
  REELMILL_API_KEY_SHA256: "0".repeat(64),
  S3_BUCKET: "bucket",
  DYNAMODB_TABLE: "table",
  AWS_REGION: "eu-central-1",
};

function start({ folder: from, extension }: (typeof PLACES)[number], name: string): Start {
  const args = [at("cold-start.ts"), from, extension, name];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8", env: environment })) as Start;
}

function measure(place: (typeof PLACES)[number], name: string, rounds: number): Row {
  // The first one fills the cache of compiled forms.
  start(place, name);
  const starts = Array.from({ length: rounds }, () => start(place, name));
  const least = (of: (one: Start) => number): number => Math.min(...starts.map(of));
  const best = {
    importedMs: least(({ importedMs }) => importedMs),
    wallMs: least(({ wallMs }) => wallMs),
    cpuMs: least(({ cpuMs }) => cpuMs),
  };
  return { place: place.title, name, best };
}

const COLUMNS = [
  { title: "", widthChars: 8, isText: true, cell: ({ place }: Row) => place },
  { title: "function", widthChars: 14, isText: true, cell: ({ name }: Row) => name },
  { title: "import ms", widthChars: 9, cell: ({ best }: Row) => best.importedMs.toFixed(0) },
  { title: "ready ms", widthChars: 8, cell: ({ best }: Row) => best.wallMs.toFixed(0) },
  { title: "CPU ms", widthChars: 6, cell: ({ best }: Row) => best.cpuMs.toFixed(0) },
];

const rounds = Number(process.argv.slice(2).find((argument) => argument !== "--no-cache") ?? 10);
execFileSync(process.execPath, [at("../../scripts/bundle-lambda.ts")], { stdio: "inherit" });
process.stdout.write(`${formatHeading(COLUMNS)}\n`);
try {
  for (const place of PLACES) {
    for (const name of Object.keys(FUNCTIONS)) {
      const row = measure(place, name, rounds);
      const isMissed = place.title === "bundle" && row.best.importedMs > TARGET_MS;
      if (isMissed) process.exitCode = 1;
      process.stdout.write(`${formatLine(COLUMNS, row, isMissed ? [`above ${TARGET_MS} ms`] : [])}\n`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
