/** The contract's pipelines that need something of their own: a queue and a service, a state machine. */
export type OwnPipeline = "hls" | "stereo" | "clip";

/**
 * Those of them that Reelmill has; a test of the root's holds them against its registry. For the others there is nothing yet that would send a
 * task or take one, so nothing is made for them: what they will need is described here and tested, and made once their name is in this list.
 */
export const OWN_PIPELINES: readonly OwnPipeline[] = ["hls"];

/** All that Reelmill has: besides those, the ones that AWS Batch runs whole. */
export const PIPELINES: readonly string[] = ["repair", "convert", ...OWN_PIPELINES];

/** All that there are workers for. */
export type WorkedPipeline = OwnPipeline | "repair" | "convert";

/** Keys of objects, as IAM has them: a `*` is any text, with slashes, too. */
export type KeyPattern = `${string}*`;

/** Where the workers of each pipeline write: what jobs make, their parts among it, and the places of their own that the contract names. */
export const WRITTEN_KEYS: Readonly<Record<WorkedPipeline, readonly KeyPattern[]>> = {
  repair: ["outputs/*"],
  convert: ["outputs/*"],
  hls: ["outputs/*"],
  stereo: ["outputs/*", "segments/*"],
  clip: ["outputs/*", "*/clips/*"],
};
