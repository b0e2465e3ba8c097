import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { METRICS, type MetricName } from "../../jobs/metrics.ts";
import { createEmbeddedMetrics } from "./embedded-metrics.ts";

const UNITS = [
  ...["Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits"],
  ...["Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second"],
  ...["Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second"],
  ...["Megabits/Second", "Gigabits/Second", "Terabits/Second", "Count/Second", "None"],
];

/** What the specification asks of a line (Amazon CloudWatch User Guide, "Embedded metric format JSON schema" and the sections before it). */
const DIRECTIVE = z.strictObject({
  Namespace: z.string().min(1).max(1024),
  Dimensions: z.array(z.array(z.string().min(1).max(250)).min(1).max(30)).min(1),
  Metrics: z
    .array(
      z.strictObject({
        Name: z.string().min(1).max(1024),
        Unit: z.enum(UNITS).optional(),
        StorageResolution: z.union([z.literal(1), z.literal(60)]).optional(),
      }),
    )
    .max(100),
});
const LINE = z.looseObject({
  _aws: z.strictObject({ Timestamp: z.int().min(0), CloudWatchMetrics: z.array(DIRECTIVE).min(1) }),
});

/** Reads a line as CloudWatch does: what its directives point at has to be there. */
function readLine(text: string) {
  expect(text).toMatch(/^[^\n]+\n$/);
  expect(Buffer.byteLength(text)).toBeLessThan(256 * 1024);
  const line = LINE.parse(JSON.parse(text));
  const { Timestamp, CloudWatchMetrics } = line._aws;
  return CloudWatchMetrics.map(({ Namespace, Dimensions, Metrics }) => ({
    Timestamp,
    Namespace,
    dimensions: Dimensions.map((names) =>
      Object.fromEntries(names.map((name) => [name, z.string().min(1).max(1024).parse(line[name])])),
    ),
    values: Object.fromEntries(Metrics.map(({ Name, Unit }) => [Name, [z.number().parse(line[Name]), Unit]])),
  }));
}

it("writes lines that CloudWatch takes every metric out of", () => {
  const clock = createFakeClock();
  const lines: string[] = [];
  const metrics = createEmbeddedMetrics((line) => lines.push(line), clock);
  const names = Object.keys(METRICS) as MetricName[];
  const of = (kind: string) => names.filter((name) => METRICS[name].of === kind);
  metrics.measure("repair", Object.fromEntries(of("pipeline").map((name, index) => [name, index + 0.5])));
  metrics.observe(Object.fromEntries(of("all").map((name) => [name, 3])));
  expect(lines.flatMap(readLine)).toEqual([
    {
      Timestamp: clock.nowMs(),
      Namespace: "Reelmill",
      dimensions: [{ Service: "reelmill", Pipeline: "repair" }],
      values: Object.fromEntries(of("pipeline").map((name, index) => [name, [index + 0.5, METRICS[name].unit]])),
    },
    {
      Timestamp: clock.nowMs(),
      Namespace: "Reelmill",
      dimensions: [{ Service: "reelmill" }],
      values: { DeadLetters: [3, "Count"] },
    },
  ]);
});

it("is what the guide says", () => {
  const guide = readFileSync(new URL("../../../docs/guide/observability.md", import.meta.url), "utf8");
  const rows = Object.entries(METRICS).map(
    ([name, { unit, of, meaning }]) => `| \`${name}\` | ${unit} | ${of} | ${meaning} |`,
  );
  expect(guide).toContain(`| --- | --- | --- | --- |\n${rows.join("\n")}\n\n`);
});

it("writes nothing where there is nothing to tell, nor what no number is", () => {
  const lines: string[] = [];
  const metrics = createEmbeddedMetrics((line) => lines.push(line), createFakeClock());
  metrics.measure("repair", {});
  metrics.measure("repair", { TaskDuration: Number.NaN });
  expect(lines).toEqual([]);
  metrics.measure("repair", { TaskDuration: Number.NaN, JobsFailed: 1 });
  expect(lines.flatMap(readLine)).toMatchObject([{ values: { JobsFailed: [1, "Count"] } }]);
});
