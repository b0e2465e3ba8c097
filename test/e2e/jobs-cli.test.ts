import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/documentation.ts";
import { type HeldUntrunc, installHeldUntrunc } from "./held-untrunc.fixture.ts";
import { makeRecordings, type Recordings } from "./recordings.fixture.ts";
import { findFreePort, type RunningServer, startServer } from "./server.fixture.ts";
import { countPackets, type Ending, REAL_TIME, reelmill } from "./workplace.fixture.ts";

const WAIT = { timeout: 60_000 };

/** A `reelmill` of its own process. */
interface Running {
  readonly ended: Promise<Ending>;
  /** What it has written to standard output so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
}

function start(args: readonly string[], environment: Readonly<Record<string, string>>): Running {
  const child = spawn(join(ROOT, "reelmill"), args, {
    // The guard against calls to elsewhere is in the options.
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      NODE_OPTIONS: process.env["NODE_OPTIONS"],
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let error = "";
  child.stdout.on("data", (piece: Buffer) => {
    output += piece.toString();
  });
  child.stderr.on("data", (piece: Buffer) => {
    error += piece.toString();
  });
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status: status ?? -1, output, error }));
  });
  return { ended, output: () => output, kill: (signal) => child.kill(signal) };
}

describe("the commands that talk to a server", () => {
  let folder: string;
  let files: Recordings;
  let untrunc: HeldUntrunc;
  let server: RunningServer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "reelmill-jobs-cli-"));
    files = makeRecordings(join(folder, "made"));
    untrunc = installHeldUntrunc(join(folder, "untrunc"));
    server = await startServer(folder, await findFreePort(), { PATH: untrunc.searchPath });
  });

  afterEach(() => untrunc.hold(false));

  afterAll(async () => {
    expect(await server?.stop()).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  });

  /** As a process of its own, for what goes on until it is stopped. */
  const begin = (...args: readonly string[]): Running => start(args, { REELMILL_SERVER: server.url });
  const run = async (...args: readonly string[]): Promise<Ending> => {
    const { PATH, HOME } = process.env;
    const environment = { PATH, HOME, REELMILL_SERVER: server.url };
    return await reelmill(args, { environment, ...REAL_TIME });
  };

  /** Gives what a command prints; throws with what it complained of where it does not end well. */
  const print = async (...args: readonly string[]): Promise<string> => {
    const { status, output, error } = await run(...args);
    if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}:\n${output}${error}`);
    return output;
  };
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of it.
  const read = async (...args: readonly string[]): Promise<any> => JSON.parse(await print(...args, "--json"));
  const submitHeld = async (): Promise<string> => {
    untrunc.hold(true);
    const args = ["submit", "repair", files.damaged, "-r", files.reference, "-p", "engine=untrunc"];
    return (await print(...args)).trim();
  };

  it("submit a repair, follow it, save what it made, and show it in every way", async () => {
    const saved = join(folder, "saved");
    mkdirSync(saved);
    const args = ["submit", "repair", files.damaged, "-r", files.reference, "-p", "verify=full", "--priority", "3"];
    const submitted = await run(...args, "--watch", "-o", saved);
    expect(submitted, submitted.error).toMatchObject({ status: 0 });
    expect(countPackets(join(saved, "damaged.mp4"))).toBe(128);
    const [, id = ""] = /^job +([0-9a-f-]{36})$/m.exec(submitted.output) ?? [];
    expect(submitted.error).toContain(`${id}: succeeded`);

    const [list, show, found, logs, lines] = await Promise.all([
      print("jobs", "list"),
      print("jobs", "show", id),
      read("jobs", "show", id),
      print("logs", id),
      print("logs", id, "--json"),
    ]);
    expect(list).toMatch(new RegExp(`^${id} +repair +succeeded +100 % +1/1 `, "m"));
    expect(show).toMatch(/^status +succeeded$/m);
    expect(show).toMatch(/^work +0 +succeeded +1 +0 +100 % +damaged\.mp4/m);
    expect(show).toMatch(/^repaired +uploads\/.*damaged\.mp4 +outputs\/.*damaged\.mp4/m);
    expect(found).toMatchObject({ job: { id, priority: 3, params: { verify: "full" }, status: "succeeded" } });
    expect(found.tasks).toHaveLength(3);
    expect(logs).toMatch(/ INFO .*finish is done.* duration_ms=\d+/);
    const fields = lines.trim().split("\n");
    expect(fields.map((line) => JSON.parse(line).job_id)).toEqual(fields.map(() => id));
  });

  it("submit one job for one idempotency key", async () => {
    const [key] = (await read("submit", "repair", files.damaged, "-r", files.reference)).params.inputs;
    const args = ["submit", "repair", "-p", `inputs=${key}`, "--idempotency-key", "once"];
    const [first, second] = [await print(...args), await print(...args)];
    expect(second).toBe(first);
    const other = await run(...args, "-p", "faststart=true");
    expect(other).toMatchObject({ status: 1, error: expect.stringContaining("(IDEMPOTENCY_CONFLICT)") });
  });

  it("submit local files once for one idempotency key, and leave no upload of a refused one", async () => {
    const uploads = async (): Promise<readonly unknown[]> => {
      const answer = await fetch(`${server.url}/v1/objects?prefix=uploads/&limit=1000`);
      return ((await answer.json()) as { readonly objects: readonly unknown[] }).objects;
    };
    const args = ["submit", "repair", files.damaged, "-r", files.reference, "--idempotency-key", "local"];
    const first = await print(...args);
    const kept = await uploads();
    expect(await print(...args)).toBe(first);
    const other = await run(...args, "-p", "faststart=true");
    expect(other).toMatchObject({ status: 1, error: expect.stringContaining("(IDEMPOTENCY_CONFLICT)") });
    const refused = await run("submit", "repair", files.damaged, "-r", files.reference, "-p", "verify=bogus");
    expect(refused).toMatchObject({ status: 1, error: expect.stringContaining("(PARAMS_INVALID)") });
    expect(await uploads()).toEqual(kept);
  });

  it("tell of a job that fails, retry and replay it", async () => {
    const text = join(folder, "text.mp4");
    writeFileSync(text, "This is no recording.\n".repeat(1000));
    const id = (await print("submit", "repair", text, "-r", files.reference)).trim();
    const watched = await run("jobs", "watch", id);
    expect(watched).toMatchObject({ status: 1, output: expect.stringMatching(/^status +failed$/m) });
    expect(watched.output).toMatch(/^error +.*\([A-Z_]+\)$/m);
    const failed = await read("jobs", "list", "--status", "failed,partial");
    expect(failed.jobs[0]).toMatchObject({ id, status: "failed" });
    expect((await read("jobs", "list", "--status", "succeeded", "--limit", "1")).jobs).toHaveLength(1);

    expect(await print("jobs", "retry", id)).toMatch(`${id}: started again, queued`);
    expect((await run("jobs", "watch", id)).output).toMatch(/^attempt +2$/m);
    const [, replayed = ""] = /replayed as (\S+)/.exec(await print("jobs", "replay", id)) ?? [];
    expect((await run("jobs", "watch", replayed, "--json")).status).toBe(1);
    expect(await read("jobs", "show", replayed)).toMatchObject({ job: { parentJobId: id, status: "failed" } });
  });

  it("follow a running job, and cancel it", async () => {
    const id = await submitHeld();
    const watching = begin("jobs", "watch", id, "--json");
    await expect.poll(watching.output, WAIT).toContain('"status":"running"');
    const monitor = await print("monitor", "--once");
    expect(monitor).toMatch(/^workers +1 busy, \d running, \d desired, 2 at most$/m);
    expect(monitor).toMatch(new RegExp(`^${id} +repair +work +0 % `, "m"));
    expect(await print("jobs", "cancel", id)).toBe(`${id}: cancelled\n`);
    const { status, output } = await watching.ended;
    expect([status, JSON.parse(output.trim().split("\n").at(-1) ?? "").status]).toEqual([1, "cancelled"]);
    const again = await run("jobs", "cancel", id);
    expect(again).toMatchObject({ status: 1, error: expect.stringContaining("(JOB_STATE)") });
  });

  it("end the watching, not the job, at Ctrl-C", async () => {
    const id = await submitHeld();
    const watching = begin("jobs", "watch", id);
    const monitoring = begin("monitor", "--interval", "1", "--json");
    await expect.poll(() => monitoring.output().split("\n").length, WAIT).toBeGreaterThan(2);
    await expect.poll(() => read("jobs", "show", id), WAIT).toMatchObject({ job: { status: "running" } });
    watching.kill("SIGINT");
    monitoring.kill("SIGINT");
    expect((await watching.ended).status).toBe(130);
    expect((await monitoring.ended).status).toBe(0);
    untrunc.hold(false);
    expect((await run("jobs", "watch", id)).status).toBe(0);
  });

  /** What is told of the queue of repairs. */
  async function readQueue(): Promise<object | undefined> {
    const { queues } = (await read("queues", "list")) as { readonly queues: readonly { readonly queue: string }[] };
    return queues.find(({ queue }) => queue === "repair");
  }

  it("pause and resume a queue", async () => {
    await print("queues", "pause", "repair");
    expect(await print("queues", "list")).toMatch(/^repair +\d+ +0 +0 +paused/m);
    const id = (await print("submit", "repair", files.damaged, "-r", files.reference)).trim();
    expect(await readQueue()).toMatchObject({ waiting: 1, isPaused: true });
    const stuck = await run("diagnose", id);
    expect(stuck).toMatchObject({ status: 1, output: expect.stringContaining("reelmill queues resume repair") });
    await print("queues", "resume", "repair");
    expect((await run("jobs", "watch", id)).status).toBe(0);
    expect((await run("diagnose", id)).status).toBe(0);
  });

  it("drain a queue: what runs comes to its end, nothing else begins", async () => {
    const id = await submitHeld();
    await expect.poll(() => untrunc.waiting().length, WAIT).toBe(1);
    const draining = begin("queues", "drain", "repair", "--json");
    await expect.poll(readQueue, WAIT).toMatchObject({ isPaused: true, inFlight: 1 });
    expect(draining.output()).toBe("");
    untrunc.hold(false);
    const { status, output } = await draining.ended;
    expect([status, JSON.parse(output)]).toMatchObject([0, { queue: "repair", inFlight: 0, isPaused: true }]);
    await print("queues", "resume", "repair");
    expect((await run("jobs", "watch", id)).status).toBe(0);
  });

  it("list, show, replay and discard tasks that were given up", async () => {
    const jobs = [await submitHeld(), await submitHeld()];
    const letters = async (): Promise<readonly { readonly id: string; readonly jobId: string }[]> => {
      untrunc.killWaiting();
      const { deadLetters } = (await (await fetch(`${server.url}/v1/dead-letters`)).json()) as {
        readonly deadLetters: readonly { readonly id: string; readonly jobId: string }[];
      };
      return deadLetters;
    };
    await expect.poll(async () => (await letters()).length, WAIT).toBe(2);
    untrunc.hold(false);
    const given = await letters();
    const letterOf = (job: string | undefined): string => String(given.find(({ jobId }) => jobId === job)?.id);
    const [first, second] = [letterOf(jobs[0]), letterOf(jobs[1])];
    expect(await print("dead-letters", "list")).toMatch(
      new RegExp(`^ *${first} +repair +${jobs[0]} +work 0 +\\d `, "m"),
    );
    expect((await read("dead-letters", "list", "--queue", "repair")).deadLetters).toHaveLength(2);
    expect(await print("dead-letters", "show", first)).toMatch(/^why +.*\(WORKER_LOST\)$/m);
    expect(await print("monitor", "--once")).toContain("ALARM    2 dead letters");

    expect(await print("dead-letters", "replay", first)).toBe("1 put back to work.\n");
    expect((await run("jobs", "watch", jobs[0] ?? "")).status).toBe(0);
    expect((await run("diagnose", jobs[1] ?? "")).output).toContain(`reelmill dead-letters replay ${second}`);
    const unasked = await run("dead-letters", "discard", second);
    expect(unasked).toMatchObject({ status: 2, error: expect.stringContaining("--yes") });
    expect(await read("dead-letters", "discard", second, "--yes")).toEqual({ discarded: 1 });
    const gone = await run("dead-letters", "show", second);
    expect(gone).toMatchObject({ status: 1, error: expect.stringContaining("(DEAD_LETTER_NOT_FOUND)") });
    expect(await print("dead-letters", "list")).toBe("No dead letters.\n");
    expect((await run("jobs", "watch", jobs[1] ?? "")).status).toBe(1);
  });

  it("say what is wrong, with a code and an exit status", async () => {
    const nobody = `http://127.0.0.1:${await findFreePort()}`;
    const cases: readonly (readonly [status: number, text: string, ...args: readonly string[]])[] = [
      [
        1,
        "Start one with `reelmill up`, or name another with --server. (SERVER_UNREACHABLE)",
        "jobs",
        "list",
        "--server",
        nobody,
      ],
      [1, "(SERVER_UNREACHABLE)", "monitor", "--server", nobody],
      [1, "There is no job nope. (JOB_NOT_FOUND)", "jobs", "show", "nope"],
      [1, "(JOB_NOT_FOUND)", "logs", "nope"],
      [1, 'There is no queue "nix". Queues: convert, hls, repair. (QUEUE_UNKNOWN)', "queues", "pause", "nix"],
      [
        1,
        'The server has no pipeline "nix". It has: repair, convert, hls. (PIPELINE_UNKNOWN)',
        "submit",
        "nix",
        files.damaged,
      ],
      [1, "(INPUT_NOT_FOUND)", "submit", "repair", join(folder, "absent.mp4")],
      [2, 'no state "wrong"', "jobs", "list", "--status", "wrong"],
      [2, "Name the files to work on", "submit", "repair"],
      [2, "(USAGE)", "jobs", "list", "--server", "ftp://127.0.0.1"],
      [2, "unknown option '--wrong'", "jobs", "list", "--wrong"],
    ];
    for (const [status, text, ...args] of cases) {
      const ending = await run(...args);
      expect(ending, args.join(" ")).toEqual({ status, output: "", error: expect.stringContaining(text) });
    }
  });

  it("show the API key where there is one", async () => {
    const key = "s3cret-key";
    const digest = createHash("sha256").update(key).digest("hex");
    const place = join(folder, "guarded");
    const guarded = await startServer(place, await findFreePort(), { REELMILL_API_KEY_SHA256: digest });
    try {
      const keyFile = join(folder, "key");
      writeFileSync(keyFile, `${key}\n`);
      const at = ["--server", guarded.url];
      for (const environment of [{}, { REELMILL_API_KEY: "wr0ng-key" }]) {
        const refused = await start(["jobs", "list", ...at], environment).ended;
        expect(refused).toMatchObject({ status: 1, output: "", error: expect.stringContaining("(UNAUTHORIZED)") });
        expect(refused.error).not.toContain("wr0ng-key");
      }
      const taken = await start(["jobs", "list", ...at], { REELMILL_API_KEY: key }).ended;
      expect(taken).toMatchObject({ status: 0, output: "No jobs.\n" });
      const upload = ["submit", "repair", files.damaged, "-r", files.reference, "--watch", "--api-key-file", keyFile];
      expect((await start([...upload, ...at, "-o", join(folder, "kept")], {}).ended).status).toBe(0);
      expect(countPackets(join(folder, "kept", "damaged.mp4"))).toBe(128);
      expect(guarded.errors()).not.toContain(key);
    } finally {
      expect(await guarded.stop()).toBe(0);
    }
  });

  it("tell where each setting comes from, and no secret", async () => {
    const environment = { REELMILL_PORT: "9", REELMILL_API_KEY: "s3cret-key" };
    const [table, json] = await Promise.all([
      start(["config"], environment).ended,
      start(["config", "--json"], environment).ended,
    ]);
    expect(table.output).toMatch(/^REELMILL_PORT +environment +9$/m);
    expect(table.output).toMatch(/^LOG_LEVEL +default +info$/m);
    expect(JSON.parse(json.output).settings).toContainEqual({
      name: "REELMILL_API_KEY",
      value: "set",
      source: "environment",
      isSecret: true,
    });
    expect(table.output + json.output).not.toContain("s3cret-key");
    const wrong = await start(["config"], { REELMILL_PORT: "x" }).ended;
    expect(wrong).toMatchObject({ status: 2, error: expect.stringContaining("(CONFIG_INVALID)") });
  });
});
