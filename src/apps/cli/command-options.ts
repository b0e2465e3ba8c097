/** `reelmill repair` as the command line gives it; paths are as typed. */
export interface RepairCommandOptions {
  /** Healthy recordings of the same device and settings; empty when none was given. */
  readonly reference: readonly string[];
  /** A file for one input, a folder for several; undefined: beside each input. */
  readonly output?: string;
  readonly inPlace: boolean;
  readonly faststart: boolean;
  readonly engine: "native" | "untrunc" | "auto";
  readonly dryRun: boolean;
  /** How much of the output is checked before it is given its name. */
  readonly verify: "none" | "quick" | "full";
  /** Where the JSON report is written. */
  readonly report?: string;
  /** Print the report as JSON on standard output. */
  readonly json: boolean;
}

/** `reelmill inspect` as the command line gives it. */
export interface InspectCommandOptions {
  /** Print JSON on standard output. */
  readonly json: boolean;
}

/** `reelmill doctor` as the command line gives it. */
export interface DoctorCommandOptions {
  /** Print JSON on standard output. */
  readonly json: boolean;
}

/** Options of `reelmill up` as given; what is missing, the environment says. */
export interface UpCommandOptions {
  readonly data?: string;
  /** False: none is watched. Commander gives true where neither --watch nor --no-watch is. */
  readonly watch?: string | boolean;
  readonly host?: string;
  readonly port?: number;
}

/** `reelmill config` as the command line gives it. */
export interface ConfigCommandOptions {
  /** Print JSON on standard output. */
  readonly json: boolean;
}

/** Options of `reelmill worker` as given. */
export interface WorkerCommandOptions {
  /** Run the one job that JOB_ID names. */
  readonly once: boolean;
  /** The one job to work at. */
  readonly job?: string;
}

/** Options of `reelmill cluster init` as given. */
export interface ClusterInitOptions {
  /** Print JSON on standard output. */
  readonly json: boolean;
}
