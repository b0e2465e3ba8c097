import type { DatabaseSync } from "node:sqlite";

/** Gives numbers that rise over all processes and are never given again: of changes, events, messages, jobs' ranks. */
export interface Sequence {
  /** Runs a transaction's work, within which `next` may be called; what was given is written once, at the end. */
  within<T>(work: () => T): T;
  next(): number;
}

/** The one sequence of a database. */
export function createSequence(database: DatabaseSync): Sequence {
  const read = database.prepare("SELECT value FROM sequence");
  const write = database.prepare("UPDATE sequence SET value = ?1");
  let last: number | undefined;
  return {
    within: (work) => {
      last = undefined;
      const result = work();
      if (last !== undefined) write.run(last);
      return result;
    },
    next: () => {
      last = (last ?? (read.get() as { readonly value: number }).value) + 1;
      return last;
    },
  };
}
