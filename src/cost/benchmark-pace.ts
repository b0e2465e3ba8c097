import type { Pace } from "./pace.ts";
import type { Workload } from "./workload.ts";

/** What docs/reference/benchmarks.md measured, on two cores. */
interface Benchmark {
  /** Wall time by the length of the source. */
  readonly wallSecondsPerSecond: number;
  /** Of all outputs. */
  readonly pixels: number;
}

const BENCHMARK_CORES = 2;
const BENCHMARK_RATE = 30;
const PIXELS_360P = 640 * 360;
/** Five rungs. */
const PIXELS_LADDER = 1920 * 1080 + 1280 * 720 + 960 * 540 + 768 * 432 + 416 * 234;

/** By pipeline and variant: the rows of Reelmill in the tables of the conversions and of the HLS packages. */
const ENCODINGS: Readonly<Record<string, Benchmark>> = {
  "convert av1": { wallSecondsPerSecond: 395.3 / 60, pixels: PIXELS_360P },
  "convert av1 fast": { wallSecondsPerSecond: 107.2 / 60, pixels: PIXELS_360P },
  "convert vp9": { wallSecondsPerSecond: 93.8 / 60, pixels: PIXELS_360P },
  "convert h264": { wallSecondsPerSecond: 15.8 / 60, pixels: PIXELS_360P },
  "hls h264": { wallSecondsPerSecond: 218.3 / 60, pixels: PIXELS_LADDER },
};

/** The slower of the large recordings: ProRes and PCM, 1.63 GB, copied. */
const REPAIR_SECONDS_PER_BYTE = 3.1 / 1.63e9;
const BENCHMARK_TASKS = 5;

/**
 * The pace that the benchmarks measured, for pictures as large and as many as the workload's; undefined where they have none of its kind, or
 * where its pictures are not known. That time grows with pixels is an assumption.
 */
export function benchmarkPace({ pipeline, variant, files, outputs }: Workload): Pace | undefined {
  const basis = { kind: "benchmark", jobs: 0, lowest: 1, highest: 1 } as const;
  if (pipeline === "repair") {
    if (variant !== "") return undefined;
    const pace = { unit: "byte", workSecondsPerUnit: REPAIR_SECONDS_PER_BYTE, outputBytesPerUnit: 1 } as const;
    return { ...pace, tasks: Math.max(1, files.length), basis };
  }
  const benchmark = ENCODINGS[`${pipeline} ${variant}`];
  const pixels = outputs.reduce(
    (sum, { widthPixels, heightPixels }) => sum + (widthPixels ?? 0) * (heightPixels ?? 0),
    0,
  );
  if (benchmark === undefined || pixels === 0) return undefined;
  const rate = outputs.find(({ framesPerSecond }) => framesPerSecond !== null)?.framesPerSecond ?? BENCHMARK_RATE;
  const factor = (pixels / benchmark.pixels) * (rate / BENCHMARK_RATE);
  return {
    unit: "second",
    workSecondsPerUnit: benchmark.wallSecondsPerSecond * BENCHMARK_CORES * factor,
    outputBytesPerUnit: null,
    tasks: BENCHMARK_TASKS,
    basis,
  };
}
