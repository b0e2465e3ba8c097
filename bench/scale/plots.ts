import type { SimulatedJob } from "./jobs.ts";
import { HOURS, LOADS, type Outcome, simulateTimeline } from "./measure.ts";
import { type Axis, drawPlot } from "./plot.ts";
import { WORKS } from "./works.ts";

const LOAD_AXIS: Axis = {
  title: "jobs an hour",
  isLogarithmic: true,
  ticks: LOADS.map((load) => [load, load.toLocaleString("en")] as const),
};

const MINUTE = 60;
const HOUR = 3600;

/** The plots by the names of their files. */
export function drawPlots(outcomes: readonly Outcome[], raised: readonly Outcome[]): ReadonlyMap<string, string> {
  const lines = (from: readonly Outcome[], value: (outcome: Outcome) => number) =>
    WORKS.map(({ name }) => ({
      name,
      points: from.filter(({ work }) => work === name).map((one) => [one.perHour, value(one)] as const),
    }));
  return new Map([
    [
      "scale-queue.svg",
      drawPlot({
        title: `Simulated: time in queue (p95), by the contract's limits, ${HOURS} hours of jobs`,
        description:
          "One line for each kind of work. Each is flat until its limit is reached and then grows with the load.",
        x: LOAD_AXIS,
        y: {
          title: "time in queue, p95",
          isLogarithmic: true,
          ticks: [
            [MINUTE, "1 min"],
            [10 * MINUTE, "10 min"],
            [HOUR, "1 h"],
            [10 * HOUR, "10 h"],
            [100 * HOUR, "100 h"],
            [1000 * HOUR, "1000 h"],
          ],
        },
        series: lines(outcomes, ({ waitP95Seconds }) => waitP95Seconds),
      }),
    ],
    [
      "scale-cost.svg",
      drawPlot({
        title: "Simulated: cost of one video, with limits that the load needs",
        description: "One line for each kind of work. That of packages falls with the load, the others are flat.",
        x: LOAD_AXIS,
        y: {
          title: "US dollars",
          isLogarithmic: true,
          ticks: [0.001, 0.003, 0.01, 0.03, 0.1].map((usd) => [usd, `$${usd}`] as const),
        },
        series: lines(raised, ({ usdPerJob }) => usdPerJob),
      }),
    ],
    ["scale-workers.svg", drawDay()],
  ]);
}

/** Twenty videos at once, then one, hours apart: the service comes back to nothing after each. */
function drawDay(): string {
  const [hls] = WORKS;
  if (hls === undefined) throw new RangeError("There is nothing to simulate.");
  const { medianSeconds } = hls.kind;
  const at = (hour: number): SimulatedJob => ({ atSeconds: hour * HOUR, taskSeconds: [medianSeconds] });
  const jobs = [...Array.from({ length: 20 }, () => at(0.25)), at(2.5)];
  const timeline = simulateTimeline(hls, jobs).filter(({ atSeconds }) => atSeconds <= 4 * HOUR);
  const line = (name: string, value: (one: (typeof timeline)[number]) => number) => ({
    name,
    isStepped: true,
    points: timeline.map((one) => [one.atSeconds / HOUR, value(one)] as const),
  });
  return drawPlot({
    title: "Simulated: hls from nothing and back, twenty videos at once, later one",
    description: "Waiting videos fall from twenty to none while three workers run; ten minutes later there is none.",
    x: { title: "hours", isLogarithmic: false, ticks: [0, 1, 2, 3, 4].map((hour) => [hour, String(hour)] as const) },
    y: {
      title: "workers, videos",
      isLogarithmic: false,
      ticks: [0, 5, 10, 15, 20].map((count) => [count, String(count)] as const),
    },
    series: [line("workers", ({ workers }) => workers), line("videos that wait", ({ waiting }) => waiting)],
  });
}
