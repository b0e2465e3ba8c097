import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COST_REPORT, type CostReport } from "./cost-report.ts";
import { estimateJob, reportFinished } from "./estimate.ts";
import type { MeasuredJob } from "./pace.ts";
import { overridePrices, type PriceName, shippedPrices } from "./price-table.ts";
import type { Workload } from "./workload.ts";

const OPTIONS = { prices: shippedPrices(), perMonth: null };
const GB = 1024 ** 3;
const EPSILON = 1e-9;

const SMALL = { widthPixels: 640, heightPixels: 360, framesPerSecond: 30, kilobitsPerSecond: null };

function convert(seconds: number | null, bytes = 1e6, variant: "av1" | "h264" = "av1"): Workload {
  return { pipeline: "convert", variant, files: [{ bytes, seconds }], outputs: [{ codec: variant, ...SMALL }] };
}

function repair(...bytes: readonly number[]): Workload {
  return { pipeline: "repair", variant: "", files: bytes.map((size) => ({ bytes: size, seconds: null })), outputs: [] };
}

const MEASURED: MeasuredJob = { workSeconds: 120, bytes: 1e6, mediaSeconds: 60, outputBytes: 5e5, tasks: 4 };

const usd = (amount: number | null): number => {
  if (amount === null) throw new Error("There is no amount.");
  return amount;
};
const amounts = ({ job, storageMonth }: CostReport): readonly number[] =>
  [job, storageMonth].flatMap(({ spotUsd, onDemandUsd }) => [usd(spotUsd), usd(onDemandUsd)]);
const without = (...names: readonly PriceName[]) =>
  overridePrices({ schema: 1, currency: "USD", prices: Object.fromEntries(names.map((name) => [name, null])) }, "x");

function expectNoLess(amounts: readonly number[], than: readonly number[]): void {
  for (const [index, amount] of amounts.entries()) {
    expect(amount).toBeGreaterThanOrEqual((than[index] ?? 0) - EPSILON);
  }
}

describe("an estimate", () => {
  it("is what its lines add up to, by the prices of the table", () => {
    // 120 s of one core's work in a minute, on two vCPUs.
    const report = estimateJob(convert(60), [MEASURED], OPTIONS);
    expect(report.seconds).toBe(60 + 60);
    const hours = 120 / 3600;
    const compute = hours * (2 * 0.04048 + 4 * 0.004445 + 80 * 0.000111);
    const lines = report.lines.filter(({ group }) => group === "compute");
    expect(lines.reduce((sum, { onDemandUsd }) => sum + usd(onDemandUsd), 0)).toBeCloseTo(compute, 12);
    const paid = report.lines.filter(({ group }) => group !== "storage");
    expect(report.job.onDemandUsd).toBeCloseTo(
      paid.reduce((sum, line) => sum + usd(line.onDemandUsd), 0),
      12,
    );
    expect(report.storageMonth.spotUsd).toBeCloseTo(((1e6 + 5e5) / GB) * 0.023, 12);
    expect(COST_REPORT.parse(report)).toEqual(report);
  });

  it("grows with the recording's length, and with its bytes", () => {
    const lengths = fc.tuple(
      fc.double({ min: 1, max: 1e5, noNaN: true }),
      fc.double({ min: 0, max: 1e5, noNaN: true }),
    );
    fc.assert(
      fc.property(lengths, fc.nat(1e9), fc.constantFrom("av1", "h264"), ([seconds, more], bytes, variant) => {
        const short = amounts(estimateJob(convert(seconds, bytes, variant), [], OPTIONS));
        const long = amounts(estimateJob(convert(seconds + more, bytes + 1, variant), [], OPTIONS));
        expectNoLess(long, short);
      }),
    );
    fc.assert(
      fc.property(fc.nat(2e12), fc.nat(1e12), (bytes, more) => {
        const small = amounts(estimateJob(repair(bytes + 1), [], OPTIONS));
        const large = amounts(estimateJob(repair(bytes + 1 + more), [], OPTIONS));
        expectNoLess(large, small);
      }),
    );
  });

  it("costs N times as much in a month of N jobs, and N times the storage", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 1, max: 1e4, noNaN: true }), (jobs, seconds) => {
        const { job, storageMonth, month } = estimateJob(convert(seconds), [], { ...OPTIONS, perMonth: jobs });
        for (const kind of ["spotUsd", "onDemandUsd"] as const) {
          const expected = jobs * (usd(job[kind]) + usd(storageMonth[kind]));
          expect(usd(month?.total[kind] ?? null) / expected).toBeCloseTo(1, 9);
        }
      }),
    );
  });

  it("is less on spot as long as the table's spot prices are", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e5, noNaN: true }), (seconds) => {
        const { job } = estimateJob(convert(seconds), [], OPTIONS);
        expect(usd(job.spotUsd)).toBeLessThan(usd(job.onDemandUsd));
      }),
    );
  });

  it("goes by finished jobs where there are any, and says by how many and how far apart they are", () => {
    const slower = { ...MEASURED, workSeconds: 240 };
    expect(estimateJob(convert(60), [MEASURED], OPTIONS).basis).toBe("Measured on 1 finished job of this kind.");
    const { basis, notes } = estimateJob(convert(60), [MEASURED, slower], OPTIONS);
    expect(basis).toMatch(/median of 2 finished jobs .* quickest took 0\.67 .* slowest 1\.33/);
    expect(notes.join(" ")).not.toMatch(/number of pixels/);
  });

  it("goes by the benchmarks where there are none, and says so; pictures four times as large take four times as long", () => {
    const small = estimateJob(convert(600), [], OPTIONS);
    expect(small.basis).toMatch(/No job of this kind has finished here: .*benchmarks\.md/);
    expect(small.notes).toContain("Assumed: the time grows with the number of pixels.");
    const outputs = [{ codec: "av1" as const, ...SMALL, widthPixels: 1280, heightPixels: 720 }];
    const large = estimateJob({ ...convert(600), outputs }, [], OPTIONS);
    expect((large.seconds - 60) / (small.seconds - 60)).toBeCloseTo(4, 9);
  });

  it("is refused where nothing tells: no length, no benchmark, nothing that runs it", () => {
    const impossible = expect.objectContaining({ code: "ESTIMATE_IMPOSSIBLE" });
    expect(() => estimateJob(convert(null), [MEASURED], OPTIONS)).toThrow(impossible);
    expect(() => estimateJob({ ...convert(60), variant: "hevc" }, [], OPTIONS)).toThrow(impossible);
    expect(() => estimateJob({ ...convert(60), pipeline: "echo" }, [], OPTIONS)).toThrow(impossible);
    const unseen = [{ codec: "av1" as const, ...SMALL, widthPixels: null, heightPixels: null }];
    expect(() => estimateJob({ ...convert(60), outputs: unseen }, [], OPTIONS)).toThrow(impossible);
  });

  it("has no sum without a price of its compute, and leaves out a missing price of its requests, naming it", () => {
    const compute = estimateJob(convert(60), [], { ...OPTIONS, prices: without("fargateSpot.vcpuHour") });
    expect(compute.job.spotUsd).toBeNull();
    expect(usd(compute.job.onDemandUsd)).toBeGreaterThan(0);
    expect(compute.notIncluded).toContain("fargateSpot.vcpuHour: the price table has no price for it.");
    const requests = estimateJob(convert(60), [], { ...OPTIONS, prices: without("s3.putRequest") });
    expect(usd(requests.job.spotUsd)).toBeLessThan(usd(estimateJob(convert(60), [], OPTIONS).job.spotUsd));
    expect(requests.notIncluded.join(" ")).toMatch(/s3\.putRequest/);
  });

  it("tells of which days and regions the prices are that it used", () => {
    const { prices, mediaConvert } = estimateJob(convert(60), [], OPTIONS);
    expect(prices).toEqual({ regions: ["eu-west-1", "us-east-1"], oldest: "2020-01-01", newest: "2026-06-17" });
    expect(mediaConvert.map(({ usd: amount }) => amount)).toEqual([null, null]);
    expect(estimateJob(convert(60, 1e6, "h264"), [], OPTIONS).prices.newest).toBe("2026-09-05");
  });

  it("reckons packages by the bit rates of their rungs, on a machine with a GPU", () => {
    const outputs = [5000, 1000].map((kilobitsPerSecond) => ({ codec: "h264" as const, ...SMALL, kilobitsPerSecond }));
    const report = estimateJob({ ...convert(80), pipeline: "hls", variant: "h264", outputs }, [], OPTIONS);
    expect(report.resources).toMatch(/^a g4dn\.xlarge/);
    const kept = report.lines.find(({ group }) => group === "storage");
    expect(kept?.quantity).toBeCloseTo((1e6 + (6000 * 1000 * 80) / 8) / GB, 9);
    expect(report.lines.map(({ name }) => name)).toContain("queue");
  });
});

describe("the cost of a finished job", () => {
  it("is that of the time that was measured, which repairs take one file after the other", () => {
    const work = { ...MEASURED, workSeconds: 90 };
    const finished = { workload: repair(GB, GB), measured: work, basis: "Measured." };
    const report = reportFinished(finished, { ...OPTIONS, perMonth: 2 });
    expect(report).toMatchObject({ kind: "actual", seconds: 60 + 90, basis: "Measured.", mediaConvert: [] });
    expect(reportFinished({ ...finished, workload: convert(60) }, OPTIONS).seconds).toBe(60 + 45);
    expect(usd(report.month?.total.spotUsd ?? null)).toBeGreaterThan(usd(report.job.spotUsd) * 2);
  });
});
