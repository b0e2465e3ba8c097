/** A step of a ladder as it is wished: the box that upright pictures fit into, long side by short side, and the mean bit rate. */
export interface LadderStep {
  readonly longPixels: number;
  readonly shortPixels: number;
  /** Of the pictures, on average. */
  readonly kilobitsPerSecond: number;
}

/** What pictures of a package are encoded as. */
export type RungCodec = "h264" | "hevc" | "av1";

/** A rung as it is encoded. */
export interface Rung {
  /** Unique within the package, fit for a folder's name, such as `720p-3000` (H.264) and `720p-2400-hevc`. */
  readonly name: string;
  readonly codec: RungCodec;
  /** Upright, of square samples, even. */
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** Of the pictures, on average. */
  readonly kilobitsPerSecond: number;
  /** What the decoder's buffer is filled with at most, and that buffer's size. */
  readonly maxKilobitsPerSecond: number;
  readonly bufferKilobits: number;
}

/** The source as it is shown: upright, and with the shape of its samples. */
export interface LadderSource {
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** Width of a sample by its height. */
  readonly sampleAspect: number;
}

function steps(rows: readonly (readonly [number, number, number])[]): readonly LadderStep[] {
  return rows.map(([longPixels, shortPixels, kilobitsPerSecond]) => ({ longPixels, shortPixels, kilobitsPerSecond }));
}

/** Apple's ladder for HEVC of standard range (as `LADDERS.h264`). */
const HEVC_LADDER = steps([
  [640, 360, 145],
  [768, 432, 300],
  [960, 540, 600],
  [960, 540, 900],
  [960, 540, 1600],
  [1280, 720, 2400],
  [1280, 720, 3400],
  [1920, 1080, 4500],
  [1920, 1080, 5800],
  [2560, 1440, 8100],
  [3840, 2160, 11_600],
  [3840, 2160, 16_800],
]);

/** As `HEVC_LADDER`, for high dynamic range. */
export const HIGH_RANGE_LADDER: readonly LadderStep[] = steps([
  [640, 360, 160],
  [768, 432, 360],
  [960, 540, 730],
  [960, 540, 1090],
  [960, 540, 1930],
  [1280, 720, 2900],
  [1280, 720, 4080],
  [1920, 1080, 5400],
  [1920, 1080, 7000],
  [2560, 1440, 9700],
  [3840, 2160, 13_900],
  [3840, 2160, 20_000],
]);

/** Apple's ladders (HLS Authoring Specification, tables of average bit rates). For AV1 there is none: it takes HEVC's. */
export const LADDERS: Readonly<Record<RungCodec, readonly LadderStep[]>> = {
  h264: steps([
    [416, 234, 145],
    [640, 360, 365],
    [768, 432, 730],
    [768, 432, 1100],
    [960, 540, 2000],
    [1280, 720, 3000],
    [1280, 720, 4500],
    [1920, 1080, 6000],
    [1920, 1080, 7800],
  ]),
  hevc: HEVC_LADDER,
  av1: HEVC_LADDER,
};

/** A source that is smaller than a box by so little is as large as the box. */
const NEARLY = 1.03;
/** Rungs of so little are for cellular networks, whose limit of 192 kbit/s holds for the peak (Apple 9.21). */
const CELLULAR_KBPS = 150;
const MIN_KBPS = 24;

/**
 * The rungs of one codec for a source, by falling size, then bit rate: those steps whose box it fills, never enlarged, its shape kept to an even
 * pixel. There are two at least, since players need something to choose from: sources below the ladder's two smallest boxes get rungs of
 * their own size and of two thirds of it.
 */
export function planLadder(
  source: LadderSource,
  codec: RungCodec = "h264",
  wished: readonly LadderStep[] = LADDERS[codec],
): readonly Rung[] {
  const shown = squareSize(source);
  const distinctRungs = (sizes: readonly Sized[]): readonly Rung[] => {
    const rungs = sizes.map(({ scale, kbps }) => describeRung(shown, codec, scale, kbps));
    return [...new Map(rungs.map((rung) => [rung.name, rung])).values()];
  };
  const fitting = fittingSizes(shown, wished);
  const rungs = distinctRungs(fitting);
  return sortRungs(rungs.length >= 2 ? rungs : distinctRungs([...fitting, ...ownSizes(shown, wished, fitting)]));
}

/** As `planLadder`, the rungs of the steps that the source fills alone: none is added, and equal ones are not one. */
export function askedRungs(source: LadderSource, codec: RungCodec, wished: readonly LadderStep[]): readonly Rung[] {
  const shown = squareSize(source);
  return fittingSizes(shown, wished).map(({ scale, kbps }) => describeRung(shown, codec, scale, kbps));
}

/** The steps whose box a source does not fill. */
export function tooLargeSteps(source: LadderSource, wished: readonly LadderStep[]): readonly LadderStep[] {
  return wished.filter((step) => scaleInto(squareSize(source), step) > NEARLY);
}

/** What MPEG-TS adds to each picture: heads of its PES packet and of its packets, a clock, and half a packet of stuffing. */
const PACKET_BYTES_PER_PICTURE = 125;
/** What is left of a cellular rung for its pictures, at the least. */
const LEAST_SHARE = 1 / 3;

/** The steps for cellular networks with so much less for pictures that the limit holds for the transport stream. */
export function leaveRoomForPackets(wished: readonly LadderStep[], framesPerSecond: number): readonly LadderStep[] {
  const added = (PACKET_BYTES_PER_PICTURE * 8 * framesPerSecond) / 1000;
  return wished.map((step) => {
    const { kilobitsPerSecond: kbps } = step;
    if (kbps > CELLULAR_KBPS) return step;
    return { ...step, kilobitsPerSecond: Math.round(Math.max(LEAST_SHARE * kbps, kbps - added)) };
  });
}

/** Apple's smallest step, within the smallest box of a ladder that has none for cellular networks; undefined where it has one. */
export function lackingCellularStep(wished: readonly LadderStep[]): LadderStep | undefined {
  const [least] = wished.toSorted((a, b) => a.longPixels * a.shortPixels - b.longPixels * b.shortPixels);
  const [own] = LADDERS.h264;
  if (least === undefined || own === undefined) return undefined;
  if (wished.some(({ kilobitsPerSecond }) => kilobitsPerSecond <= CELLULAR_KBPS)) return undefined;
  return {
    longPixels: Math.min(own.longPixels, least.longPixels),
    shortPixels: Math.min(own.shortPixels, least.shortPixels),
    kilobitsPerSecond: own.kilobitsPerSecond,
  };
}

/** By falling size, then bit rate: each can be scaled from the one before it. */
export function sortRungs(rungs: readonly Rung[]): readonly Rung[] {
  return rungs.toSorted(
    (a, b) =>
      b.widthPixels * b.heightPixels - a.widthPixels * a.heightPixels || b.kilobitsPerSecond - a.kilobitsPerSecond,
  );
}

interface Sized {
  readonly scale: number;
  readonly kbps: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The height stays; the width becomes that of square samples. */
function squareSize({ widthPixels, heightPixels, sampleAspect }: LadderSource): Size {
  return { width: Math.max(2, widthPixels * sampleAspect), height: Math.max(2, heightPixels) };
}

function scaleInto({ width, height }: Size, { longPixels, shortPixels }: LadderStep): number {
  return Math.min(longPixels / Math.max(width, height), shortPixels / Math.min(width, height));
}

function fittingSizes(shown: Size, wished: readonly LadderStep[]): readonly Sized[] {
  return wished.flatMap((step) => {
    const scale = scaleInto(shown, step);
    return scale > NEARLY ? [] : [{ scale: Math.min(1, scale), kbps: step.kilobitsPerSecond }];
  });
}

/** Rungs for sources that fill one box, or several that come to the same, or none. */
function ownSizes(shown: Size, wished: readonly LadderStep[], fitting: readonly Sized[]): readonly Sized[] {
  const above = wished.filter((step) => scaleInto(shown, step) > NEARLY).map((step) => step.kilobitsPerSecond);
  const only = fitting.at(-1);
  if (only !== undefined && only.scale < 1) {
    return [{ scale: 1, kbps: above.length > 0 ? Math.min(...above) : 2 * only.kbps }];
  }
  const own = only === undefined ? [{ scale: 1, kbps: Math.min(...above) }] : [];
  return [...own, { scale: 2 / 3, kbps: Math.round((own[0] ?? only ?? { kbps: MIN_KBPS }).kbps * 0.6) }];
}

function describeRung({ width, height }: Size, codec: RungCodec, scale: number, kbps: number): Rung {
  const widthPixels = evenBelow(width, scale);
  const heightPixels = evenBelow(height, scale);
  const kilobitsPerSecond = Math.max(MIN_KBPS, kbps);
  // Over half a segment, the shortest stretch that BANDWIDTH counts, the peak is (3 × maximum + buffer) / 3.
  const isCellular = kilobitsPerSecond <= CELLULAR_KBPS;
  return {
    name: `${Math.min(widthPixels, heightPixels)}p-${kilobitsPerSecond}${codec === "h264" ? "" : `-${codec}`}`,
    codec,
    widthPixels,
    heightPixels,
    kilobitsPerSecond,
    maxKilobitsPerSecond: Math.round(kilobitsPerSecond * (isCellular ? 1.08 : 1.35)),
    bufferKilobits: Math.round(kilobitsPerSecond * (isCellular ? 0.5 : 1)),
  };
}

/** The nearest even number that is no larger than the source's own side. */
function evenBelow(side: number, scale: number): number {
  const largest = Math.max(2, 2 * Math.floor(side / 2));
  return Math.min(largest, Math.max(2, 2 * Math.round((side * scale) / 2)));
}
