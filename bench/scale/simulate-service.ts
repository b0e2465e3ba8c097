import type { BacklogRule } from "../../infra/src/backlog-rule.ts";
import { assertNever } from "../../src/base/assert-never.ts";
import type { SimulatedJob } from "./jobs.ts";
import { createScaler, type Scaler } from "./scaler.ts";
import { Schedule } from "./schedule.ts";

/** A service of workers that is scaled by its backlog. */
export interface ServiceModel {
  readonly rule: BacklogRule;
  /** From the decision until the worker asks for tasks, where there is a machine for it. */
  readonly startSeconds: number;
  /** Where each worker has a machine to itself: until one is there, and for how long one without a worker stays. Null: there are none. */
  readonly machine: { readonly bootSeconds: number; readonly lingerSeconds: number } | null;
  /** How old the figures are that the alarms see. */
  readonly metricDelaySeconds: number;
  /** Workers that one scaling may add or remove at most; left out: as many as the stacks' policies have steps. */
  readonly step?: number | undefined;
}

/** The outcome. Jobs stand in the order in which they came. */
export interface SimulatedRun {
  /** From a job's arrival until the first of its tasks is begun. */
  readonly waitSeconds: readonly number[];
  /** From a job's arrival until the last of its tasks is done. */
  readonly totalSeconds: readonly number[];
  readonly peakWorkers: number;
  /** Seconds of capacity that are paid for: the first machine or, where there are none, 0; and all others, or all workers. */
  readonly firstSeconds: number;
  readonly otherSeconds: number;
  /** Those in which a task was worked at. */
  readonly busySeconds: number;
  /** When all was done and nothing was left running. */
  readonly endSeconds: number;
  /** Paid for within the hour after that. */
  readonly idleHourSeconds: number;
  /** Workers and waiting tasks, each minute. */
  readonly timeline: readonly { readonly atSeconds: number; readonly workers: number; readonly waiting: number }[];
}

const MINUTE = 60;
const HOUR = 3600;

type Event =
  | { readonly kind: "arrival"; readonly job: number }
  | { readonly kind: "minute" }
  | { readonly kind: "ready"; readonly worker: Worker }
  | { readonly kind: "done"; readonly worker: Worker; readonly job: number }
  | { readonly kind: "expiry"; readonly machine: Machine; readonly lingers: number };

interface Worker {
  state: "starting" | "idle" | "busy" | "gone";
  readonly machine: Machine | undefined;
}

interface Machine {
  worker: Worker | undefined;
  /** How often it was left without a worker: only the last of these may end it. */
  lingers: number;
}

/** Runs a service on jobs until all are done, nothing is left running, and one more hour has gone by. */
export function simulateService(model: ServiceModel, jobs: readonly SimulatedJob[]): SimulatedRun {
  const run = new ServiceRun(model, jobs);
  let endSeconds: number | undefined;
  let paidAtEnd = 0;
  while (run.step()) {
    if (endSeconds === undefined && run.isAtRest) {
      endSeconds = run.nowSeconds;
      paidAtEnd = run.paidSeconds;
    }
    if (endSeconds !== undefined && run.nowSeconds >= endSeconds + HOUR) break;
  }
  return { ...run.outcome(), endSeconds: endSeconds ?? run.nowSeconds, idleHourSeconds: run.paidSeconds - paidAtEnd };
}

class ServiceRun {
  nowSeconds = 0;
  readonly #model: ServiceModel;
  readonly #jobs: readonly SimulatedJob[];
  readonly #events = new Schedule<Event>();
  readonly #scaler: Scaler;
  /** The job of each task, in the order in which they came; those before `#head` are taken. */
  readonly #queue: number[] = [];
  #head = 0;
  readonly #workers = new Set<Worker>();
  /** Those of them that wait for a task, the longest waiting first. */
  readonly #idle = new Set<Worker>();
  readonly #machines = new Set<Machine>();
  /** How many workers there should be; those that are busy stay until they are not. */
  #desired = 0;
  #done = 0;
  readonly #waitSeconds: number[];
  readonly #totalSeconds: number[];
  readonly #begunTasks: number[];
  readonly #doneTasks: number[];
  /** Backlogs as they were at the last minutes, the oldest one first. */
  readonly #seen: number[] = [];
  readonly #timeline: SimulatedRun["timeline"][number][] = [];
  readonly #paid = { first: 0, other: 0, busy: 0 };
  #busy = 0;
  #peakWorkers = 0;

  constructor(model: ServiceModel, jobs: readonly SimulatedJob[]) {
    this.#model = model;
    this.#jobs = jobs;
    this.#scaler = createScaler(model.rule, model.step);
    const nothing = (): number[] => jobs.map(() => Number.NaN);
    [this.#waitSeconds, this.#totalSeconds] = [nothing(), nothing()];
    [this.#begunTasks, this.#doneTasks] = [jobs.map(() => 0), jobs.map(() => 0)];
    for (const [job, { atSeconds }] of jobs.entries()) this.#events.add(atSeconds, { kind: "arrival", job });
    this.#events.add(MINUTE, { kind: "minute" });
  }

  get isAtRest(): boolean {
    return this.#done === this.#jobs.length && this.#workers.size === 0 && this.#machines.size === 0;
  }

  /** Seconds of all capacity so far. */
  get paidSeconds(): number {
    return this.#paid.first + this.#paid.other;
  }

  outcome(): Omit<SimulatedRun, "endSeconds" | "idleHourSeconds"> {
    return {
      waitSeconds: this.#waitSeconds,
      totalSeconds: this.#totalSeconds,
      peakWorkers: this.#peakWorkers,
      firstSeconds: this.#paid.first,
      otherSeconds: this.#paid.other,
      busySeconds: this.#paid.busy,
      timeline: this.#timeline,
    };
  }

  /** The next event; false where there is none. */
  step(): boolean {
    const next = this.#events.take();
    if (next === undefined) return false;
    this.#goOn(next.atSeconds);
    this.#handle(next.event);
    return true;
  }

  #goOn(toSeconds: number): void {
    const seconds = toSeconds - this.nowSeconds;
    const capacity = this.#model.machine === null ? this.#workers.size : this.#machines.size;
    const first = this.#model.machine === null ? 0 : Math.min(1, capacity);
    this.#paid.first += first * seconds;
    this.#paid.other += (capacity - first) * seconds;
    this.#paid.busy += this.#busy * seconds;
    this.nowSeconds = toSeconds;
  }

  #handle(event: Event): void {
    switch (event.kind) {
      case "arrival":
        for (const _task of this.#jobs[event.job]?.taskSeconds ?? []) this.#queue.push(event.job);
        this.#handOut();
        return;
      case "minute":
        this.#look();
        return;
      case "ready":
        if (event.worker.state !== "starting") return;
        this.#rest(event.worker);
        this.#handOut();
        return;
      case "done":
        this.#finish(event.worker, event.job);
        return;
      case "expiry":
        if (event.machine.worker === undefined && event.machine.lingers === event.lingers) {
          this.#machines.delete(event.machine);
        }
        return;
      default:
        assertNever(event);
    }
  }

  #handOut(): void {
    for (const worker of this.#idle) {
      const job = this.#queue[this.#head];
      if (job === undefined) return;
      this.#head += 1;
      this.#idle.delete(worker);
      this.#begin(worker, job);
    }
  }

  #rest(worker: Worker): void {
    worker.state = "idle";
    this.#idle.add(worker);
  }

  #begin(worker: Worker, job: number): void {
    worker.state = "busy";
    this.#busy += 1;
    const { atSeconds = 0, taskSeconds = [] } = this.#jobs[job] ?? {};
    const task = this.#begunTasks[job] ?? 0;
    if (task === 0) this.#waitSeconds[job] = this.nowSeconds - atSeconds;
    this.#begunTasks[job] = task + 1;
    this.#events.add(this.nowSeconds + (taskSeconds[task] ?? 0), { kind: "done", worker, job });
  }

  #finish(worker: Worker, job: number): void {
    this.#busy -= 1;
    const { atSeconds = 0, taskSeconds = [] } = this.#jobs[job] ?? {};
    const done = (this.#doneTasks[job] ?? 0) + 1;
    this.#doneTasks[job] = done;
    if (done === taskSeconds.length) {
      this.#totalSeconds[job] = this.nowSeconds - atSeconds;
      this.#done += 1;
    }
    if (this.#workers.size > this.#desired) {
      this.#stop(worker);
      return;
    }
    this.#rest(worker);
    this.#handOut();
  }

  #look(): void {
    const waiting = this.#queue.length - this.#head;
    this.#timeline.push({ atSeconds: this.nowSeconds, workers: this.#workers.size, waiting });
    this.#seen.push(waiting + this.#busy);
    const age = Math.round(this.#model.metricDelaySeconds / MINUTE);
    const backlog = this.#seen.at(-1 - age) ?? 0;
    if (this.#seen.length > age + 1) this.#seen.shift();
    this.#desired = this.#scaler.look({ backlog, workers: this.#desired }, this.nowSeconds);
    this.#adjust();
    this.#events.add(this.nowSeconds + MINUTE, { kind: "minute" });
  }

  #adjust(): void {
    while (this.#workers.size < this.#desired) this.#start();
    this.#peakWorkers = Math.max(this.#peakWorkers, this.#workers.size);
    for (const worker of this.#workers) {
      if (this.#workers.size <= this.#desired) return;
      // Whoever works protects itself.
      if (worker.state !== "busy") this.#stop(worker);
    }
  }

  #start(): void {
    const { machine, startSeconds } = this.#model;
    let [host, delaySeconds] = [undefined as Machine | undefined, startSeconds];
    if (machine !== null) {
      host = this.#machines.values().find((one) => one.worker === undefined);
      if (host === undefined) {
        host = { worker: undefined, lingers: 0 };
        this.#machines.add(host);
        delaySeconds += machine.bootSeconds;
      }
    }
    const worker: Worker = { state: "starting", machine: host };
    if (host !== undefined) host.worker = worker;
    this.#workers.add(worker);
    this.#events.add(this.nowSeconds + delaySeconds, { kind: "ready", worker });
  }

  #stop(worker: Worker): void {
    worker.state = "gone";
    this.#idle.delete(worker);
    this.#workers.delete(worker);
    const { machine } = worker;
    if (machine === undefined || this.#model.machine === null) return;
    machine.worker = undefined;
    machine.lingers += 1;
    const expiry = { kind: "expiry", machine, lingers: machine.lingers } as const;
    this.#events.add(this.nowSeconds + this.#model.machine.lingerSeconds, expiry);
  }
}
