import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BacklogRule,
  isEmpty,
  largestStep,
  scalingExpressions,
  shortfallOf,
  surplusOf,
} from "../../infra/src/backlog-rule.ts";
import { drawJobs, meanWorkSeconds, type SimulatedJob } from "./jobs.ts";
import { HOURS, LOADS, limitFor, limitOf, quantile, simulateLoad } from "./measure.ts";
import { drawPlot } from "./plot.ts";
import { createScaler } from "./scaler.ts";
import { Schedule } from "./schedule.ts";
import { simulateBatch } from "./simulate-batch.ts";
import { type ServiceModel, simulateService } from "./simulate-service.ts";
import { formatOutcomes } from "./tables.ts";
import { ruleWith, WORKS } from "./works.ts";

const RULE = ruleWith(1, 3);
const MODEL: ServiceModel = {
  rule: RULE,
  startSeconds: 60,
  machine: { bootSeconds: 180, lingerSeconds: 900 },
  metricDelaySeconds: 60,
};

const jobs = fc
  .array(
    fc.record({
      atSeconds: fc.integer({ min: 0, max: 20_000 }),
      taskSeconds: fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 }),
    }),
    { maxLength: 40 },
  )
  .map((list): readonly SimulatedJob[] => list.toSorted((a, b) => a.atSeconds - b.atSeconds));

const models = fc.record({
  rule: fc
    .record({ messagesPerWorker: fc.integer({ min: 1, max: 12 }), maxCapacity: fc.integer({ min: 1, max: 30 }) })
    .map(({ messagesPerWorker, maxCapacity }) => ruleWith(messagesPerWorker, maxCapacity)),
  startSeconds: fc.nat(600),
  machine: fc.option(fc.record({ bootSeconds: fc.nat(600), lingerSeconds: fc.nat(2000) })),
  metricDelaySeconds: fc.constantFrom(0, 60, 120),
});

const workOf = (list: readonly SimulatedJob[]): number =>
  list.flatMap(({ taskSeconds }) => taskSeconds).reduce((sum, seconds) => sum + seconds, 0);

describe("the rule", () => {
  /** What CloudWatch makes of an expression that has only these functions. */
  const evaluate = (expression: string): number => {
    const plain = expression
      .replaceAll("CEIL", "Math.ceil")
      .replaceAll(
        /IF\(((?:[^(),]|\([^()]*\)|Math\.ceil\([^()]*\))*),([^,]*),((?:[^()]|\([^()]*\))*)\)/g,
        "(($1)?($2):($3))",
      )
      .replaceAll(" AND ", " && ");
    return Number(new Function(`return ${plain};`)());
  };

  it("is the same as arithmetic and as expressions of CloudWatch", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(60), fc.integer({ min: 1, max: 20 }), (backlog, workers, messagesPerWorker) => {
        const rule = { ...RULE, messagesPerWorker };
        const look = { backlog, workers };
        const { shortfall, surplus, empty } = scalingExpressions(String(backlog), String(workers), messagesPerWorker);
        expect(evaluate(shortfall)).toBe(shortfallOf(look, rule));
        expect(evaluate(surplus)).toBe(surplusOf(look, rule));
        expect(evaluate(empty)).toBe(isEmpty(look) ? 1 : 0);
      }),
    );
  });

  it("adds what is missing up to the limit, by no more than a policy has steps", () => {
    expect(createScaler(RULE).look({ backlog: 2, workers: 0 }, 60)).toBe(2);
    expect(createScaler(RULE).look({ backlog: 50, workers: 1 }, 60)).toBe(3);
    const large: BacklogRule = ruleWith(1, 100);
    expect(largestStep(large)).toBe(20);
    expect(createScaler(large).look({ backlog: 50, workers: 1 }, 60)).toBe(21);
    expect(createScaler(ruleWith(10, 8)).look({ backlog: 11, workers: 0 }, 60)).toBe(2);
  });

  it("removes what is too many after five minutes, but the last, and all after ten without work", () => {
    const scaler = createScaler(RULE);
    let workers = 3;
    const seen: number[] = [];
    for (let minute = 1; minute <= 11; minute += 1) {
      workers = scaler.look({ backlog: minute > 1 ? 0 : 3, workers }, minute * 60);
      seen.push(workers);
    }
    expect(seen).toEqual([3, 3, 3, 3, 3, 1, 1, 1, 1, 1, 0]);
  });

  it("does not scale out again before its cooldown is over", () => {
    const scaler = createScaler({ ...RULE, scaleOutCooldownSeconds: 120 });
    const wanted = [60, 120, 180].map((nowSeconds) => scaler.look({ backlog: 2, workers: 1 }, nowSeconds));
    expect(wanted).toEqual([2, 1, 2]);
  });
});

describe("a simulated service", () => {
  it("loses no job, never has more workers than it may, and comes back to nothing, which costs nothing", () => {
    fc.assert(
      fc.property(models, jobs, (model, list) => {
        const run = simulateService(model, list);
        expect(run.totalSeconds).toHaveLength(list.length);
        for (const [index, { taskSeconds }] of list.entries()) {
          expect(run.waitSeconds[index]).toBeGreaterThanOrEqual(0);
          const alone = Math.max(...taskSeconds);
          expect(run.totalSeconds[index]).toBeGreaterThanOrEqual((run.waitSeconds[index] ?? Number.NaN) + alone - 1e-6);
        }
        expect(run.peakWorkers).toBeLessThanOrEqual(model.rule.maxCapacity);
        expect(run.busySeconds).toBeCloseTo(workOf(list), 3);
        expect(run.firstSeconds + run.otherSeconds).toBeGreaterThanOrEqual(run.busySeconds - 1e-6);
        expect(run.idleHourSeconds).toBe(0);
        expect(run.timeline.at(-1)).toMatchObject({ workers: 0, waiting: 0 });
      }),
      { numRuns: 150 },
    );
  });

  it("starts a worker at the first look that sees the job, on a machine that has to be started first", () => {
    const run = simulateService(MODEL, [{ atSeconds: 10, taskSeconds: [100] }]);
    // Seen at 60 s, told of at 120 s, then 180 s for the machine and 60 s for the worker.
    expect(run.waitSeconds).toEqual([120 + 180 + 60 - 10]);
    // From 120 s on; empty since 480 s, seen so from 540 s on for ten minutes, then fifteen minutes of a machine alone.
    expect(run.firstSeconds).toBe(540 + 9 * 60 + 60 - 120 + 900 - 60);
    expect(run.otherSeconds).toBe(0);
  });

  it("gives a lingering machine to the next worker, which then does not wait for one", () => {
    const first = { atSeconds: 10, taskSeconds: [100] };
    const { endSeconds, firstSeconds } = simulateService(MODEL, [first]);
    const again = { atSeconds: endSeconds - 200, taskSeconds: [100] };
    const run = simulateService(MODEL, [first, again]);
    expect(run.waitSeconds[1]).toBeLessThan(60 + 60 + 60 + 1);
    expect(run.firstSeconds).toBeGreaterThan(firstSeconds);
    expect(run.otherSeconds).toBe(0);
  });

  it("keeps workers that work, however many are too many", () => {
    const long = [0, 1, 2].map((atSeconds) => ({ atSeconds, taskSeconds: [5000] }));
    const run = simulateService(MODEL, long);
    expect(run.peakWorkers).toBe(3);
    expect(Math.max(...run.totalSeconds)).toBeLessThan(5000 + 420);
  });
});

describe("simulated batch jobs", () => {
  it("are all done, in order, in no more places than there are", () => {
    const places = fc.integer({ min: 1, max: 10 });
    fc.assert(
      fc.property(places, fc.nat(300), jobs, (count, startSeconds, list) => {
        const run = simulateBatch({ places: count, startSeconds, paidStartSeconds: startSeconds }, list);
        expect(run.peakContainers).toBeLessThanOrEqual(count);
        expect(run.busySeconds).toBeCloseTo(workOf(list), 6);
        const begun = run.waitSeconds.map((wait, index) => wait + (list[index]?.atSeconds ?? 0));
        expect(begun).toEqual(begun.toSorted((a, b) => a - b));
        for (const wait of run.waitSeconds) expect(wait).toBeGreaterThanOrEqual(startSeconds);
      }),
    );
  });
});

describe("the simulation", () => {
  it("is the same for the same seed, and another one for another", () => {
    const [work] = WORKS;
    if (work === undefined) throw new Error("There is nothing to simulate.");
    expect(simulateLoad(work, 100, 7)).toEqual(simulateLoad(work, 100, 7));
    expect(simulateLoad(work, 100, 7)).not.toEqual(simulateLoad(work, 100, 8));
  });

  it.each(WORKS)("of $name keeps to the contract's limit and costs nothing at rest, at every load", (work) => {
    for (const perHour of LOADS.filter((load) => load <= 300)) {
      const { peak, jobs: count, idleHourUsd, usdPerJob, utilisation } = simulateLoad(work, perHour, 1);
      expect(peak).toBeLessThanOrEqual(limitOf(work));
      expect(count / HOURS).toBeGreaterThan(perHour / 2);
      expect(idleHourUsd).toBe(0);
      expect(usdPerJob).toBeGreaterThan(0);
      expect(utilisation).toBeLessThanOrEqual(1);
    }
  });

  it("is not overloaded with the limit that a load needs", () => {
    for (const work of WORKS)
      expect(simulateLoad(work, 300, 1, { limit: limitFor(work, 300) }).isOverloaded).toBe(false);
  });

  it("draws jobs that come as often and take as long as they should", () => {
    const kind = { tasks: 2, medianSeconds: 100, spread: 0.5 };
    const drawn = drawJobs(kind, 10_000, 1, 3);
    expect(drawn.length / 10_000).toBeCloseTo(1, 1);
    expect(workOf(drawn) / drawn.length / meanWorkSeconds(kind)).toBeCloseTo(1, 1);
  });
});

describe("docs/reference/scale.md", () => {
  const page = readFileSync(fileURLToPath(new URL("../../docs/reference/scale.md", import.meta.url)), "utf8");

  it.each(WORKS)("has what is simulated of $name (npm run bench:scale -- --docs)", (work) => {
    const [, , ...rows] = formatOutcomes([10, 100, 300].map((load) => simulateLoad(work, load, 1))).split("\n");
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(page).toContain(row);
  });
});

describe("plots", () => {
  it("draw lines within their axes, the same each time, with what was written of them made harmless", () => {
    const axis = {
      title: "a < b",
      isLogarithmic: true,
      ticks: [
        [1, "one"],
        [100, "hundred"],
      ],
    } as const;
    const points = [
      [1, 1],
      [10, 1000],
    ] as const;
    const plot = { title: "T & U", description: "D", x: axis, y: axis, series: [{ name: "S", points }] };
    const svg = drawPlot(plot);
    expect(svg).toContain("<title>T &amp; U</title>");
    expect(svg).toContain("a &lt; b");
    // From the lower left to the middle of the top.
    expect(svg).toContain('d="M80 330L400 40"');
    expect(drawPlot(plot)).toBe(svg);
  });
});

describe("what it stands on", () => {
  it("takes events by their time, then in the order in which they were added", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (times) => {
        const schedule = new Schedule<number>();
        for (const [index, time] of times.entries()) schedule.add(time, index);
        const taken = times.map(() => schedule.take()?.event);
        const expected = times.map((_, index) => index).toSorted((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
        expect(taken).toEqual(expected);
        expect(schedule.take()).toBeUndefined();
      }),
    );
  });

  it("takes a share of values", () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2);
    expect(quantile([1, 2, 3, 4], 0.95)).toBe(4);
    expect(quantile([], 0.5)).toBe(0);
  });
});
