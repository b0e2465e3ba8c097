declare module "dynalite" {
  import type { Server } from "node:http";

  /** A server that listens nowhere yet; all it is told is gone when it is closed. Times are how long tables take to come and go. */
  function dynalite(options: {
    readonly createTableMs: number;
    readonly deleteTableMs: number;
    readonly updateTableMs: number;
  }): Server;
  export = dynalite;
}
