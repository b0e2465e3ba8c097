/** `reelmill use`. */
export interface UseOptions {
  /** File that holds the API key of what is used. */
  readonly apiKeyFile?: string;
  /** Print JSON on standard output. */
  readonly json: boolean;
}

/** `reelmill deploy`. */
export interface DeployOptions extends UseOptions {
  /** Numbers of the stacks, `name=value` each. */
  readonly set: readonly string[];
  /** Names of those that are to have their default again. */
  readonly unset: readonly string[];
  /** Tag of the image; undefined: one by its content. */
  readonly imageTag?: string;
  /** Make the templates and end. */
  readonly synthOnly: boolean;
  /** Show what would be done, and do nothing. */
  readonly dryRun: boolean;
}
