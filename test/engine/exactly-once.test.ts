import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createJobStore } from "../../src/adapters/aws/job-store.ts";
import { createTaskQueue } from "../../src/adapters/aws/task-queue.ts";
import { openDatabase } from "../../src/adapters/local/database.ts";
import { createJobStore as createLocalStore } from "../../src/adapters/local/job-store.ts";
import { createTaskQueue as createLocalQueue } from "../../src/adapters/local/task-queue.ts";
import type { Clock } from "../../src/base/clock.ts";
import { ReelmillError } from "../../src/base/errors.ts";
import { createUuid } from "../../src/base/ids.ts";
import { isEnded, type Job } from "../../src/jobs/job.ts";
import type { ObjectStore } from "../../src/jobs/object-store.ts";
import { createPipelineRegistry, type Pipeline } from "../../src/jobs/pipeline.ts";
import type { JobStore, NewJob, TaskQueue } from "../../src/jobs/ports.ts";
import type { Engine } from "../../src/jobs/run-task.ts";
import { onCancel, onRetry } from "../../src/jobs/transitions.ts";
import { runWorkerLoop } from "../../src/jobs/worker-loop.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createMemoryTable } from "../support/memory-table.ts";
import { createModelStore } from "../support/model-store.ts";
import { defineParts } from "./engine.fixture.ts";
import { type Fate, type Part, PLAIN, readChoice, type Schedule, schedules } from "./schedules.fixture.ts";

/*
 * The engine's own loop on the adapters' own stores. Whatever a worker asks of its store, waits for or works at stops at a gate until the
 * schedule lets it go on; so a schedule is the order in which things happen, over all workers, and what goes wrong meanwhile.
 */

/** Pauses of the code under test are steps of the schedule, too. */
const pausing = vi.hoisted(() => ({ pause: async (): Promise<void> => undefined }));

vi.mock("node:timers/promises", async (importOriginal) => ({
  ...(await importOriginal<typeof import("node:timers/promises")>()),
  setTimeout: () => pausing.pause(),
}));

const LEASE_MS = 15_000;
/** Workers that may be lost over a task before it is given up: with one more, another result would be right. */
const MOST_LOSSES = 2;
/** Enough for every lease, delay and transition left half-written. */
const LONG_MS = 20_000;

/** What is asked of a store, or of the table behind it. */
interface Request {
  readonly isWrite: boolean;
  readonly apply: () => unknown;
}

type Gate = (request: Request) => Promise<unknown>;

/** What a worker does that stands at a gate. */
type Stand = "asks" | "pauses" | "works" | "idles";

/** Stores with one job that was just submitted. */
interface World {
  readonly clock: FakeClock;
  readonly jobId: string;
  readonly store: Pick<JobStore, "get" | "listTasks" | "listEvents">;
  /** Messages that are left. */
  readonly countMessages: () => Promise<number>;
  /** The store as a worker reaches it. */
  readonly reach: (gate: Gate) => JobStore;
  /** Whether the answer to a request that comes twice tells what the first one did; otherwise what it gave is nobody's. */
  readonly isRepeatable: boolean;
}

/** A worker is what ends it. */
type Worker = AbortController;

/** One that stands at a gate. */
interface Waiting {
  readonly worker: Worker;
  readonly stand: Stand;
  /** Undefined where nothing is asked. */
  readonly request: Request | undefined;
  readonly goOn: (answer: Promise<unknown>) => void;
}

const PARTS = defineParts();

const none = (): void => undefined;
const log: Engine["log"] = { debug: none, info: none, warn: none, error: none, child: () => log };

/** All workers of a job, and where they stand. */
class Stage {
  readonly #world: World;
  readonly #alive = new Set<Worker>();
  #waiting: Waiting[] = [];
  /** How many tasks may still be lost, by deaths and by being late. */
  #losses = MOST_LOSSES;
  /** Whoever was let go on last: pauses are its own. */
  #current: Worker | undefined;
  /** One that stands still, and is let go on by `resume` alone. */
  #stalled: Waiting | undefined;
  #writesBeforeStall: number;

  /** At the write of that number, counted from 1, whoever makes it stands still. */
  constructor(world: World, stallsAtWrite = Number.POSITIVE_INFINITY) {
    this.#world = world;
    this.#writesBeforeStall = stallsAtWrite;
    pausing.pause = async () => {
      if (this.#current !== undefined) await this.#pass(this.#current, "pauses");
    };
  }

  async #pass(worker: Worker, stand: Stand, request?: Request): Promise<unknown> {
    if (worker.signal.aborted) return die();
    if (request?.isWrite === true) this.#writesBeforeStall -= 1;
    return await new Promise((goOn) => {
      const waiting = { worker, stand, request, goOn };
      if (request?.isWrite === true && this.#writesBeforeStall === 0) this.#stalled = waiting;
      else this.#waiting.push(waiting);
    });
  }

  /** Starts a worker; what is given ends with it. */
  start(ownWork: Pipeline["work"], owner: string): Promise<void> {
    const worker = new AbortController();
    this.#alive.add(worker);
    this.#current = worker;
    const { clock, reach } = this.#world;
    const work: Pipeline["work"] = async (params, input, context) => {
      await this.#pass(worker, "works");
      return await ownWork(params, input, context);
    };
    const ports = {
      store: reach((request) => this.#pass(worker, "asks", request)),
      clock,
      log,
      objects: {} as ObjectStore,
    };
    const workFolders = { create: async () => "/none", remove: async () => undefined };
    const pipelines = createPipelineRegistry([{ ...PARTS, work }]);
    return runWorkerLoop(
      { ...ports, pipelines, workFolders, environment: {}, random: () => 0 },
      {
        ...{
          owner,
          leaseMs: LEASE_MS,
          queues: [{ name: PARTS.name, maxInFlight: 9 }],
          signal: worker.signal,
          onBusy: none,
        },
        idleEndMs: Number.POSITIVE_INFINITY,
        waitForWork: async () => void (await this.#pass(worker, "idles").catch(none)),
      },
    );
  }

  /** Nobody has anything to do. */
  get isQuiet(): boolean {
    return this.#waiting.every(({ stand }) => stand === "idles");
  }

  get isStalled(): boolean {
    return this.#stalled !== undefined;
  }

  /** Somebody is in the middle of a task. */
  get isWorking(): boolean {
    return this.#waiting.some(({ stand }) => stand === "works");
  }

  /** Lets the one go on that stands still, alone, until it works or has nothing to do. */
  async resume(): Promise<void> {
    const others = this.#waiting;
    this.#waiting = this.#stalled === undefined ? [] : [this.#stalled];
    this.#stalled = undefined;
    while (this.#waiting.some(({ stand }) => stand === "asks" || stand === "pauses")) await this.step(PLAIN);
    this.#waiting.push(...others);
  }

  /** What a user does, at once. */
  async byUser(act: () => Promise<unknown>): Promise<void> {
    this.#current = undefined;
    await act();
  }

  /** Lets one go on that waits; idle ones now and then. */
  async step(choice: number): Promise<void> {
    const { which, fate } = readChoice(choice);
    const busy = this.#waiting.filter(({ stand }) => stand !== "idles");
    const able = busy.length > 0 && which % 8 !== 7 ? busy : this.#waiting;
    const next = able[which % able.length];
    if (next === undefined) return;
    this.#waiting = this.#waiting.filter((waiting) => waiting !== next);
    await this.#let(next, fate);
  }

  /** Lets all look again. */
  async wake(): Promise<void> {
    for (const next of this.#waiting.splice(0)) await this.#let(next, "goes on");
  }

  async #let({ worker, request, goOn }: Waiting, fate: Fate): Promise<void> {
    const apply = async (): Promise<unknown> => await request?.apply();
    const chosen = this.#afford(fate, request);
    this.#current = worker;
    if (chosen === "is late") this.#world.clock.advance(LEASE_MS + 1);
    if (chosen === "comes twice" || chosen === "dies behind") await apply().catch(none);
    if (chosen === "dies before" || chosen === "dies behind") {
      this.#kill(worker);
      goOn(die());
    } else {
      const answer = apply();
      // What the store does is done before anybody else goes on.
      await answer.catch(none);
      goOn(answer);
    }
    await breathe();
  }

  /** The fate, where it is possible. */
  #afford(fate: Fate, request: Request | undefined): Fate {
    if (fate === "goes on") return fate;
    if (fate === "comes twice" && request?.isWrite !== true) return "goes on";
    if (fate === "comes twice" && this.#world.isRepeatable) return fate;
    const isDeath = fate === "dies before" || fate === "dies behind";
    if (this.#losses < 1 || (isDeath && this.#alive.size < 2)) return "goes on";
    this.#losses -= 1;
    return fate;
  }

  #kill(worker: Worker): void {
    this.#alive.delete(worker);
    // With a reason, because making the default one takes its time.
    worker.abort("dead");
    const own = this.#waiting.filter((waiting) => waiting.worker === worker);
    this.#waiting = this.#waiting.filter((waiting) => waiting.worker !== worker);
    for (const { goOn } of own) goOn(die());
  }

  end(): void {
    for (const worker of this.#alive) this.#kill(worker);
  }
}

/** One for all: tracing where each came from takes longer than most of what they end. */
const DEAD = new Error("dead");

async function die(): Promise<never> {
  throw DEAD;
}

/** Once nothing but gates is waited for. */
async function breathe(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** More than any job takes. */
const MOST_ROUNDS = 30;

/** Runs a schedule to its end. */
async function run({ parts, workers, choices }: Schedule, world: World): Promise<void> {
  const stage = new Stage(world);
  let flaws = 0;
  const work: Pipeline["work"] = async (_params, part) => {
    if (part === "bad") throw new ReelmillError("INPUT_EMPTY", part);
    // Transient failures are forgiven twice for each task; these are two in all.
    if (part === "flaky" && flaws++ < 2) throw new ReelmillError("PROGRAM_KILLED", part);
    return String(part).toUpperCase();
  };
  const working = Array.from({ length: workers }, (_, index) => stage.start(work, `w${index}`));
  await breathe();
  await playOut(stage, world, choices);
  stage.end();
  await Promise.all(working);
  await check(world, parts);
}

/** Lets all go on by the choices, and then in turn, until the job has ended and nobody has anything to do. */
async function playOut(stage: Stage, world: World, choices: readonly number[]): Promise<void> {
  const hasEnded = async (): Promise<boolean> => isEnded((await world.store.get(world.jobId))?.status ?? "queued");
  for (let step = 0, round = 0; ; ) {
    if (!stage.isQuiet) await stage.step(choices[step++] ?? PLAIN);
    else {
      const isLast = (await hasEnded()) || round === MOST_ROUNDS;
      round += 1;
      if (isLast || round % 2 === 0) world.clock.advance(LONG_MS);
      await stage.wake();
      if (isLast) break;
    }
  }
  while (!stage.isQuiet) await stage.step(PLAIN);
}

const capitals: Pipeline["work"] = async (_params, part) => {
  if (part === "bad") throw new ReelmillError("INPUT_EMPTY", part);
  return String(part).toUpperCase();
};

/**
 * One worker stands still before a write while another does its work, and then goes on with what it was about to write: at the end, or, where
 * a user cancels the job and begins it anew meanwhile, in the middle of the same task. False where it did not make so many writes.
 */
async function runStalled(
  atWrite: number,
  parts: readonly Part[],
  world: World,
  user?: () => Promise<unknown>,
): Promise<boolean> {
  const stage = new Stage(world, atWrite);
  const working = [stage.start(capitals, "w0")];
  await breathe();
  while (!stage.isStalled && !stage.isQuiet) await stage.step(PLAIN);
  const { isStalled } = stage;
  if (user !== undefined) await stage.byUser(user);
  working.push(stage.start(capitals, "w1"));
  await breathe();
  if (user === undefined) await playOut(stage, world, []);
  else while (!stage.isWorking && !stage.isQuiet) await stage.step(PLAIN);
  await stage.resume();
  await playOut(stage, world, []);
  stage.end();
  await Promise.all(working);
  // Whoever stood still lost its task, unless that was taken from it with the job; nobody else did.
  await check(world, parts, user === undefined ? 1 : 0);
  return isStalled;
}

async function check(
  { store, countMessages, jobId }: World,
  parts: readonly Part[],
  mostLost = Number.POSITIVE_INFINITY,
): Promise<void> {
  const [job, tasks] = [await store.get(jobId), await store.listTasks(jobId)];
  const events = await store.listEvents({ jobId, afterSeq: 0, limit: 500 });
  const ends = tasks.filter((task) => task.stage === "work").map(toEnd);
  const isRestarted = job?.attempt === 2;
  const told = events
    .filter(({ type }) => !["task.started", "task.retrying", "task.lost"].includes(type))
    .map(({ type, data }) => toEnd({ status: type, ...(data as object) }))
    // What a job goes through again when it is restarted; failed attempts of before are none of the last.
    .filter((one, index, all) => !isRestarted || !one.startsWith("job.") || all.indexOf(one) === index)
    .filter((one) => !isRestarted || !one.startsWith("task.failed") || ends.some((end) => one === `task.${end}`));
  const restart = isRestarted ? ["job.retried", ...(told.includes("job.cancelled") ? ["job.cancelled"] : [])] : [];
  const once = ["job.queued", ...restart, "job.started", "job.stage work", "job.stage finish", `job.${job?.status}`];
  const lost = events.filter(({ type }) => type === "task.lost").length;
  const found = {
    job: job && { status: job.status, stage: job.stage, result: job.result, tasks: job.tasks },
    tasks: tasks.map(({ status }) => status),
    told: told.sort(),
    isNobodyElseLost: lost <= mostLost,
    messages: await countMessages(),
  };
  // At once, because each comparison takes as long as the job.
  expect(found).toEqual({
    job: expectedEnd(parts),
    tasks: ["plan", ...parts, "finish"].map((part) => (part === "bad" ? "failed" : "succeeded")),
    told: [...once, ...ends.map((end) => `task.${end}`)].sort(),
    isNobodyElseLost: true,
    messages: 0,
  });
}

interface ToldEnd {
  readonly status: string;
  readonly stage?: string;
  readonly index?: number | "";
  readonly attempt?: number | "";
}

/** What ended, and which attempt at it: none but the last one counts. */
function toEnd({ status, stage = "", index = "", attempt = "" }: ToldEnd): string {
  return [status, stage, index, attempt].filter((part) => part !== "").join(" ");
}

function expectedEnd(parts: readonly Part[]): Partial<Job> {
  const failed = parts.filter((part) => part === "bad").length;
  const succeeded = parts.length - failed;
  const status = failed === 0 ? "succeeded" : succeeded > 0 ? "partial" : "failed";
  const result = parts.map((part) => (part === "bad" ? null : part.toUpperCase()));
  return { status, stage: "finish", result, tasks: { total: parts.length, succeeded, failed } };
}

function newJob(clock: Clock, parts: readonly Part[]): NewJob {
  const rest = { priority: 0, parentJobId: null, webhook: null, idempotency: null };
  return { id: createUuid(clock.nowMs()), pipeline: PARTS.name, params: { parts }, ...rest };
}

async function countMessages(queue: TaskQueue): Promise<number> {
  return (await queue.depths()).reduce((sum, { waiting, inFlight, dead }) => sum + waiting + inFlight + dead, 0);
}

const WRITES = new Set(["takeTask", "completeTask", "beat"]);

/** A store whose every method passes a gate. */
function gated(store: object, gate: Gate): JobStore {
  const methods = Object.entries(store).map(([name, method]: [string, (...given: unknown[]) => unknown]) => {
    const pass = (...given: unknown[]) => gate({ isWrite: WRITES.has(name), apply: () => method(...given) });
    return [name, pass] as const;
  });
  return Object.fromEntries(methods) as unknown as JobStore;
}

async function assertEach(numRuns: number, worldOf: (parts: readonly Part[]) => Promise<World>): Promise<void> {
  const property = fc.asyncProperty(schedules, async (schedule) => {
    await run(schedule, await worldOf(schedule.parts));
  });
  await fc.assert(property, { numRuns: Math.max(numRuns, WANTED_RUNS) });
}

const RUNS = { model: 10_000, sqlite: 300, aws: 50 } as const;
/** So many schedules at least, of each kind of store. */
const WANTED_RUNS = Number(process.env["REELMILL_TEST_SCHEDULES"] ?? 0);
vi.setConfig({ testTimeout: 120_000 + WANTED_RUNS * 500 });

describe("a job ends once and alike, whatever comes twice, late, in another order or not at all", () => {
  it("by what the ports promise", async () => {
    await assertEach(RUNS.model, async (parts) => {
      const clock = createFakeClock();
      const added = newJob(clock, parts);
      const store = createModelStore(added, clock);
      const count = async (): Promise<number> => store.countMessages();
      const reach = (gate: Gate): JobStore => gated(store, gate);
      return { clock, store, jobId: added.id, countMessages: count, reach, isRepeatable: false };
    });
  });

  it("on one machine", async () => {
    const database = openDatabase(":memory:", "normal");
    const clock = createFakeClock();
    const [store, queue] = [createLocalStore(database, clock), createLocalQueue(database, clock)];
    await assertEach(RUNS.sqlite, async (parts) => {
      const { job } = await store.create(newJob(clock, parts));
      const reach = (gate: Gate): JobStore => gated(store, gate);
      return { clock, store, jobId: job.id, countMessages: () => countMessages(queue), reach, isRepeatable: false };
    });
    database.close();
  });

  it("on AWS, where each transition takes a dozen writes", async () => {
    await assertEach(RUNS.aws, async (parts) => (await makeAwsWorld(parts)).world);
  });

  it.each<readonly [what: string, parts: readonly Part[], isRestarted: boolean]>([
    ["", ["ok", "ok"], false],
    [", and the job is begun anew", ["ok", "ok"], true],
    [", and what failed is begun anew", ["bad", "bad"], true],
  ])("on AWS, where one is late with any of its writes%s", async (_what, parts, isRestarted) => {
    let writes = 0;
    for (let isStalled = true; isStalled; writes += 1) {
      const { world, store } = await makeAwsWorld(parts);
      const restart = async (): Promise<void> => {
        for (const wish of [onCancel, onRetry]) await store.update(world.jobId, wish);
      };
      isStalled = await runStalled(writes + 1, parts, world, isRestarted ? restart : undefined);
    }
    expect(writes).toBeGreaterThan(50);
  });
});

async function makeAwsWorld(parts: readonly Part[]): Promise<{ readonly world: World; readonly store: JobStore }> {
  const clock = createFakeClock();
  const table = createMemoryTable();
  const [store, queue] = [createJobStore(table.reach(), clock), createTaskQueue(table.reach(), clock)];
  const { job } = await store.create(newJob(clock, parts));
  const reach = (gate: Gate): JobStore => createJobStore(table.reach(gate), clock);
  const count = (): Promise<number> => countMessages(queue);
  return { world: { clock, store, jobId: job.id, countMessages: count, reach, isRepeatable: true }, store };
}
