/** A container that is to work at one job, on whatever machine there is for it. */
export interface ContainerWish {
  /** The job, which is known to all machines. */
  readonly jobId: string;
  /** For people: letters, digits and hyphens, at most 128. */
  readonly name: string;
  readonly vcpu: number;
  /** In MiB. */
  readonly memoryMb: number;
}

/** Starts containers that run `reelmill worker --job`. */
export interface ContainerStarter {
  /** Asks for one, which may have to wait for its place, and gives the id that it has there. Throws STORE_UNAVAILABLE, STORE_REFUSED. */
  start(wish: ContainerWish): Promise<string>;
}
