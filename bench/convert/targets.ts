import { MAX_NODE_BYTES } from "../measuring/node-peak.ts";

/** What is converted to. */
export const CODECS = ["av1", "vp9", "h264"] as const;
/** One of them. */
export type Codec = (typeof CODECS)[number];
/** Picture heights of the sources. */
export const HEIGHTS = [360, 1080] as const;
/** One of them. */
export type Height = (typeof HEIGHTS)[number];
/** The two ways of Reelmill's to get there. */
export type Speed = "standard" | "fast";

/** What a conversion came to, against the plain command in the same run. */
export interface Ratios {
  /** Wall time by the plain command's. */
  readonly wall: number;
  /** User and system time of all processes by the plain command's. */
  readonly cpu: number;
  /** Output bytes by the plain command's. */
  readonly size: number;
  /** SSIM against the source, minus the plain command's. */
  readonly ssimDifference: number;
}

/** What a conversion has to reach. */
export interface Targets {
  readonly maxWall: number;
  readonly minSize?: number;
  readonly maxSize: number;
  readonly minSsimDifference: number;
  readonly maxSsimDifference?: number;
}

const SSIM = 0.002;
const MANY_CORES = 8;

/** The targets on a machine with that many cores. */
export function targetsFor(codec: Codec, speed: Speed, height: Height, cores: number): Targets {
  if (speed === "fast") return { maxWall: 0.2, maxSize: 1.05, minSsimDifference: -SSIM };
  const same = { minSize: 0.99, maxSize: 1.01, minSsimDifference: -SSIM, maxSsimDifference: SSIM };
  switch (codec) {
    case "av1":
      return { maxWall: cores >= MANY_CORES ? 0.4 : 0.75, ...same };
    case "vp9":
      return { maxWall: height === 360 ? 0.78 : 0.92, ...same };
    case "h264":
      return { maxWall: 1.02, ...same };
  }
}

/** Names each target that is missed, with the figure reached and the one wanted. */
export function missedTargets(ratios: Ratios, nodePeakBytes: number, targets: Targets): string[] {
  const { maxWall, minSize = 0, maxSize, minSsimDifference, maxSsimDifference = 1 } = targets;
  const missed: string[] = [];
  if (!(ratios.wall <= maxWall)) missed.push(`wall ${ratios.wall.toFixed(3)} > ${maxWall}`);
  if (!(ratios.size <= maxSize)) missed.push(`size ${ratios.size.toFixed(3)} > ${maxSize}`);
  if (!(ratios.size >= minSize)) missed.push(`size ${ratios.size.toFixed(3)} < ${minSize}`);
  const { ssimDifference } = ratios;
  if (!(ssimDifference >= minSsimDifference)) missed.push(`SSIM ${ssimDifference.toFixed(4)} < ${minSsimDifference}`);
  if (!(ssimDifference <= maxSsimDifference)) missed.push(`SSIM +${ssimDifference.toFixed(4)} > +${maxSsimDifference}`);
  if (nodePeakBytes > MAX_NODE_BYTES) missed.push(`Node ${(nodePeakBytes / 1e6).toFixed(0)} MB`);
  return missed;
}
