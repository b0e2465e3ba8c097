/** What a container for a whole job is to be. */
export interface ContainerPlan {
  /** For people: letters, digits, hyphens and underscores, at most 128; default the pipeline and the job's id. */
  readonly name?: string;
  readonly vcpu: number;
  /** In MiB. */
  readonly memoryMb: number;
  /** The least disk, in GiB; undefined: as is set for the pipeline. */
  readonly storageGb?: number | undefined;
}

/** A container that is to work at one job, on whatever machine there is for it. */
export interface ContainerWish {
  /** The job, which is known to all machines. */
  readonly jobId: string;
  readonly pipeline: string;
  /** As `ContainerPlan` has it. */
  readonly name: string;
  /** Undefined: as is set for the pipeline. */
  readonly size: Pick<ContainerPlan, "vcpu" | "memoryMb" | "storageGb"> | undefined;
}

/** How a container is that was asked for. */
export interface ContainerState {
  /** Whether it has ended for good, in whichever way: nothing is going to be worked at by it. */
  readonly hasEnded: boolean;
  /** Why it is as it is, for people; may be empty. */
  readonly reason: string;
}

/** Starts containers that run `reelmill worker --job`. */
export interface ContainerStarter {
  /** Asks for one, which may have to wait for its place, and gives the id that it has there. Throws STORE_UNAVAILABLE, STORE_REFUSED. */
  start(wish: ContainerWish): Promise<string>;
  /** How containers are, by their ids; those that are not known any more are left out. Throws STORE_UNAVAILABLE, STORE_REFUSED. */
  look(containerIds: readonly string[]): Promise<ReadonlyMap<string, ContainerState>>;
}

/** How many containers work or are to work, whoever started them. */
export interface ContainerCount {
  /** That there are to be by now. */
  readonly desired: number;
  readonly running: number;
  /** Asked for, and waiting for a machine or starting. */
  readonly pending: number;
}

/** Counts containers. */
export interface ContainerCounter {
  /** Throws STORE_UNAVAILABLE, STORE_REFUSED, and for `signal` what that was aborted with. */
  count(signal: AbortSignal): Promise<ContainerCount>;
}
