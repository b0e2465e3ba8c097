import { showName } from "../../../ui/formats.ts";
import type { RungRates } from "./read-ladder.ts";

/** Where everything of the plot stands, in pixels from its upper left corner. */
export interface PlotLayout {
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** Of the area that the lines lie in. */
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  /** By falling bit rate. */
  readonly rates: readonly { readonly bitsPerSecond: number; readonly y: number }[];
  readonly times: readonly { readonly seconds: number; readonly x: number }[];
  readonly lines: readonly PlotLine[];
}

/** A rung's line. */
export interface PlotLine {
  readonly name: string;
  /** The name, as far as there is room. */
  readonly label: string;
  /** SVG path data: a step for each stretch. */
  readonly path: string;
  /** Where its name stands beside its end. */
  readonly labelY: number;
}

const HEIGHT = 260;
const MARGIN = { top: 12, bottom: 26, left: 70 } as const;
const LABEL_PIXELS = 15;
/** Names that are longer are cut. */
const MAX_NAME = 16;
const CHARACTER_PIXELS = 7.5;
const PIXELS_PER_TIME = 64;
const MIN_BITS_PER_SECOND = 1000;
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400] as const;

/**
 * Lays the lines out over time. Bit rates are on a logarithmic scale, since the steps of a ladder are ratios. Rungs without stretches have
 * no line.
 */
export function layoutPlot(rungs: readonly RungRates[], widthPixels: number): PlotLayout {
  const known = rungs.filter(({ stretches }) => stretches.length > 0);
  const all = known.flatMap(({ stretches }) => stretches);
  const endSeconds = all.reduce((most, stretch) => Math.max(most, stretch.endSeconds), 1);
  const values = all.map(({ bitsPerSecond }) => Math.max(MIN_BITS_PER_SECOND, bitsPerSecond));
  const rates = rateTicks(
    values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    values.reduce((most, value) => Math.max(most, value), 0),
  );
  const [top = 1, low = 1] = [rates[0], rates.at(-1)];
  const names = known.map(({ name }) => shorten(showName(name)));
  const namePixels = CHARACTER_PIXELS * names.reduce((most, { length }) => Math.max(most, length), 0);
  const right = Math.max(MARGIN.left + 1, Math.floor(widthPixels - 10 - namePixels));
  const bottom = HEIGHT - MARGIN.bottom;
  const x = (seconds: number): number => round(MARGIN.left + ((right - MARGIN.left) * seconds) / endSeconds);
  const y = (bitsPerSecond: number): number => {
    const share = Math.log(Math.max(MIN_BITS_PER_SECOND, bitsPerSecond) / low) / Math.log(top / low);
    return round(bottom - (bottom - MARGIN.top) * share);
  };
  const ends = known.map(({ stretches }) => y(stretches.at(-1)?.bitsPerSecond ?? 0));
  const labels = spread(ends, MARGIN.top, bottom);
  return {
    ...{ widthPixels, heightPixels: HEIGHT, left: MARGIN.left, right, bottom },
    rates: rates.map((bitsPerSecond) => ({ bitsPerSecond, y: y(bitsPerSecond) })),
    times: timeTicks(endSeconds, right - MARGIN.left).map((seconds) => ({ seconds, x: x(seconds) })),
    lines: known.map(({ name, stretches }, index) => ({
      name,
      label: names[index] ?? "",
      path: stretches
        .map((one, at) => `${at === 0 ? `M${x(one.startSeconds)} ` : "V"}${y(one.bitsPerSecond)}H${x(one.endSeconds)}`)
        .join(""),
      labelY: labels[index] ?? bottom,
    })),
  };
}

function shorten(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/** 1, 2 and 5 times powers of ten from below the least to above the most, falling. */
function rateTicks(least: number, most: number): readonly number[] {
  if (most === 0) return [];
  const ticks: number[] = [];
  for (
    let power = 10 ** Math.floor(Math.log10(least));
    ticks.at(-1) === undefined || (ticks.at(-1) ?? 0) < most;
    power *= 10
  ) {
    for (const tick of [power, 2 * power, 5 * power]) if ((ticks.at(-1) ?? 0) < most) ticks.push(tick);
  }
  const first = ticks.findLastIndex((tick) => tick <= least);
  const kept = ticks.slice(Math.max(0, first));
  // A single step has no height.
  return (kept.length > 1 ? kept : [...kept, (kept[0] ?? 1) * 2]).toReversed();
}

function timeTicks(endSeconds: number, widthPixels: number): readonly number[] {
  const count = Math.max(1, Math.floor(widthPixels / PIXELS_PER_TIME));
  const step = TIME_STEPS.find((seconds) => endSeconds / seconds <= count) ?? Math.ceil(endSeconds / count);
  return Array.from({ length: Math.floor(endSeconds / step) + 1 }, (_, index) => index * step);
}

/** Moves labels apart so that none covers another, in the order of their lines, as far as there is room. */
function spread(ends: readonly number[], top: number, bottom: number): readonly number[] {
  const order = ends.map((_, index) => index).toSorted((one, other) => (ends[one] ?? 0) - (ends[other] ?? 0));
  const step = Math.min(LABEL_PIXELS, (bottom - top) / Math.max(1, ends.length));
  const placed = [...ends];
  let next = top;
  for (const index of order) {
    placed[index] = Math.max(next, ends[index] ?? 0);
    next = (placed[index] ?? 0) + step;
  }
  let last = bottom;
  for (const index of order.toReversed()) {
    placed[index] = Math.min(last, placed[index] ?? 0);
    last = (placed[index] ?? 0) - step;
  }
  return placed;
}
