import { formatElapsedMs } from "../../src/base/units.ts";
import { markdownLines } from "../measuring/table.ts";
import type { Outcome } from "./measure.ts";

/** Outcomes as a Markdown table. */
export function formatOutcomes(outcomes: readonly Outcome[]): string {
  const titles = [
    "work",
    "jobs/h",
    "at most",
    "used",
    "queue, median",
    "queue, p95",
    "done, p95",
    "busy",
    "a video",
    "idle hour",
  ];
  return markdownLines(
    titles,
    outcomes.map((outcome) => [
      outcome.work,
      outcome.perHour.toLocaleString("en"),
      outcome.limit.toLocaleString("en"),
      outcome.peak.toLocaleString("en"),
      ...[outcome.waitMedianSeconds, outcome.waitP95Seconds, outcome.totalP95Seconds].map((seconds) =>
        outcome.isOverloaded ? `grows (${formatSeconds(seconds)})` : formatSeconds(seconds),
      ),
      `${Math.round(outcome.utilisation * 100)} %`,
      `$${outcome.usdPerJob.toLocaleString("en", { maximumSignificantDigits: 3 })}`,
      `$${outcome.idleHourUsd}`,
    ]),
  );
}

function formatSeconds(seconds: number): string {
  return formatElapsedMs(Math.round(seconds) * 1000);
}
