import { type ChildProcess, execFile, fork } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import type { Contestant, Durability, Setting } from "./contestant.ts";
import { CONTESTANTS } from "./contestants/all.ts";
import { startPostgres, startRedis } from "./servers.ts";

const run = promisify(execFile);
const PROCESS = fileURLToPath(new URL("./process.ts", import.meta.url));
/** A contestant that does not come to its end is left out with that as the reason. */
const RUN_LIMIT_MS = 120_000;

const { values: options } = parseArgs({
  options: {
    jobs: { type: "string", default: "2000" },
    rounds: { type: "string", default: "3" },
    workers: { type: "string", default: "1,4,8" },
    durability: { type: "string", default: "process,power" },
    only: { type: "string", default: "" },
    recovery: { type: "boolean", default: false },
  },
});

function child(contestant: Contestant, setting: Setting, ...task: readonly string[]): ChildProcess {
  return fork(PROCESS, [contestant.name, JSON.stringify(setting), ...task]);
}

/** Resolves with the first message that has the field; rejects where the process ends before. */
function told<T>(from: ChildProcess, field: string): Promise<T> {
  return new Promise((resolve, reject) => {
    from.on("message", (message: Readonly<Record<string, T>>) => {
      const value = message[field];
      if (value !== undefined) resolve(value);
    });
    from.once("exit", (code) => reject(new Error(`A process ended with status ${code} before it told "${field}".`)));
  });
}

/** Gives up on what takes too long. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function end(children: readonly ChildProcess[]): Promise<void> {
  const ended = children.map(
    (process) =>
      new Promise<void>((resolve) => {
        if (process.exitCode !== null || process.signalCode !== null) resolve();
        process.once("exit", () => resolve());
        process.kill("SIGKILL");
      }),
  );
  await Promise.all(ended);
}

/** Lends a server and an empty folder. */
async function withSetting<T>(
  contestant: Contestant,
  durability: Durability,
  packages: string,
  use: (setting: Setting) => Promise<T>,
): Promise<T> {
  const start = { redis: startRedis, postgres: startPostgres, none: undefined }[contestant.server];
  const server = await start?.(durability);
  const folder = await mkdtemp(join(tmpdir(), "reelmill-queues-"));
  try {
    return await use({ durability, folder, packages, address: server?.address ?? "" });
  } finally {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Figures {
  readonly enqueued: number;
  readonly worked: number;
}

async function measure(contestant: Contestant, setting: Setting, jobs: number, workers: number): Promise<Figures> {
  const enqueued = await told<number>(child(contestant, setting, "enqueue", `${jobs}`), "perSecond");
  const children = Array.from({ length: workers }, () => child(contestant, setting, "work"));
  try {
    await Promise.all(children.map((process) => told(process, "ready")));
    const done = new Map<ChildProcess, number>();
    const startMs = performance.now();
    await new Promise<void>((resolve, reject) => {
      for (const process of children) {
        process.on("message", (message: { readonly done?: number }) => {
          done.set(process, message.done ?? 0);
          if ([...done.values()].reduce((sum, count) => sum + count, 0) >= jobs) resolve();
        });
        process.once("exit", (code) => reject(new Error(`a worker ended with status ${code}`)));
        process.send("go");
      }
    });
    return { enqueued, worked: (jobs / (performance.now() - startMs)) * 1000 };
  } finally {
    await end(children);
  }
}

/** Seconds from the SIGKILL of a worker in the middle of a job until another one is given the job. */
async function measureRecovery(contestant: Contestant, setting: Setting): Promise<number> {
  const children: ChildProcess[] = [];
  try {
    await told(child(contestant, setting, "enqueue", "1"), "perSecond");
    const first = child(contestant, setting, "hang");
    children.push(first);
    await told(first, "has");
    const second = child(contestant, setting, "hang");
    children.push(second);
    const again = told(second, "has");
    await end([first]);
    const startMs = performance.now();
    await again;
    return (performance.now() - startMs) / 1000;
  } finally {
    await end(children);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);

/** Installs what the contestant needs; gives the folder. */
async function install(root: string, contestant: Contestant): Promise<string> {
  const folder = join(root, contestant.name.replaceAll(/\W+/g, "-"));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{"private":true}');
  if (contestant.install.length > 0) {
    await run("npm", ["install", "--no-audit", "--no-fund", "--silent", ...contestant.install], { cwd: folder });
  }
  return folder;
}

interface Entry {
  readonly contestant: Contestant;
  readonly packages: string;
}

async function compare(entries: readonly Entry[], durability: Durability, workers: number): Promise<void> {
  const figures = new Map<string, Figures[]>();
  const skipped = new Map<string, string>();
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { contestant, packages } of entries) {
      const { name } = contestant;
      if (skipped.has(name)) continue;
      try {
        const work = withSetting(contestant, durability, packages, (setting) =>
          within(RUN_LIMIT_MS, measure(contestant, setting, Number(options.jobs), workers)),
        );
        figures.set(name, [...(figures.get(name) ?? []), await work]);
      } catch (error) {
        skipped.set(name, reasonOf(error));
      }
    }
  }
  const middle = (name: string, field: keyof Figures): number =>
    median((figures.get(name) ?? []).map((figure) => figure[field]));
  const fastest = Math.max(...[...figures.keys()].map((name) => middle(name, "worked")));
  console.log(`\n${durability === "power" ? "Safe from power cuts" : "Safe from crashes"}, ${workers} worker(s)\n`);
  console.log(row(["queue", "enqueued/s", "jobs/s", "of the fastest"]));
  console.log(row(["---", "---", "---", "---"]));
  for (const { contestant } of entries) {
    const { name } = contestant;
    const [enqueued, worked] = [middle(name, "enqueued"), middle(name, "worked")];
    const shown = [enqueued.toFixed(0), worked.toFixed(0), (worked / fastest).toFixed(2)];
    console.log(row(skipped.has(name) ? [name, "skipped", skipped.get(name) ?? "", ""] : [name, ...shown]));
  }
}

async function main(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "reelmill-queue-packages-"));
  const entries: Entry[] = [];
  try {
    for (const contestant of CONTESTANTS.filter(({ name }) => name.includes(options.only))) {
      try {
        entries.push({ contestant, packages: await install(root, contestant) });
      } catch (error) {
        console.log(`${contestant.name} is left out, it cannot be installed: ${reasonOf(error)}`);
      }
    }
    for (const durability of options.durability.split(",") as readonly Durability[]) {
      for (const workers of options.workers.split(",").filter((text) => text !== "")) {
        await compare(entries, durability, Number(workers));
      }
    }
    if (options.recovery) await recover(entries);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function recover(entries: readonly Entry[]): Promise<void> {
  console.log("\nRecovery after SIGKILL, default settings\n");
  console.log(row(["queue", "seconds until the job runs again"]));
  console.log(row(["---", "---"]));
  await Promise.all(
    entries.map(async ({ contestant, packages }) => {
      const work = withSetting(contestant, "process", packages, (setting) =>
        within(RUN_LIMIT_MS, measureRecovery(contestant, setting)),
      );
      const shown = await work.then((seconds) => seconds.toFixed(1), reasonOf);
      console.log(row([contestant.name, shown]));
    }),
  );
}

await main();
