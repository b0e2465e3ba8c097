/** The contract's pipelines that need something of their own: a queue and a service, a state machine. */
export type OwnPipeline = "hls" | "stereo" | "clip";

/**
 * Those of them that Reelmill has; a test of the root's holds them against its registry. For the others there is nothing yet that would send a
 * task or take one, so nothing is made for them: what they will need is described here and tested, and made once their name is in this list.
 */
export const OWN_PIPELINES: readonly OwnPipeline[] = ["hls"];

/** All that Reelmill has: besides those, the ones that AWS Batch runs whole. */
export const PIPELINES: readonly string[] = ["repair", "convert", ...OWN_PIPELINES];
