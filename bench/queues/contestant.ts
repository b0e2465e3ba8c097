/** How sure a commit is: against crashes of processes, or against power cuts too. */
export type Durability = "process" | "power";

/** What a contestant is given. */
export interface Setting {
  readonly durability: Durability;
  /** An empty folder of the run, shared by all its processes. */
  readonly folder: string;
  /** Where the contestant's packages were installed. */
  readonly packages: string;
  /** How to reach its server, where it has one. */
  readonly address: string;
}

/** A queue, opened by one process. */
export interface Session {
  /** Puts so many jobs into it, as fast as one process can. */
  enqueue(count: number): Promise<void>;
  /** Begins to work jobs off, one at a time; hears of each that is done. Resolves once it has begun. */
  work(onDone: () => void, runJob: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** One of the queues compared. */
export interface Contestant {
  readonly name: string;
  /** Package and exact version, nothing where it is in the repository. */
  readonly install: readonly string[];
  readonly server: "none" | "redis" | "postgres";
  readonly open: (setting: Setting) => Promise<Session>;
}
