import type { RemoteOptions } from "../remote/options.ts";

/** `reelmill cost actual`. */
export interface CostActualOptions extends RemoteOptions {
  /** Jobs a month, ≥ 1; left out: no month is reckoned. */
  readonly perMonth?: number;
}

/** `reelmill cost estimate`. */
export interface CostEstimateOptions extends CostActualOptions {
  readonly pipeline: string;
  /** `name=value` each. */
  readonly param: readonly string[];
  readonly paramsFile?: string;
}

/** `reelmill cost compare`: of a job, or, with a pipeline, of files. */
export interface CostCompareOptions extends Omit<CostEstimateOptions, "pipeline"> {
  readonly pipeline?: string;
}
