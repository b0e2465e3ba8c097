/** What went wrong with one input. */
export interface Fault {
  /** `crash`: something other than an allowed error was thrown; `slow`: more than 5 s of CPU time; `hang`: no end. */
  readonly kind: "crash" | "slow" | "hang" | "memory";
  readonly message: string;
  readonly stack: string;
}

/** CPU time that one input of at most 1 MB may take. */
export const MAX_CPU_SECONDS = 5;

/** Describes something thrown. */
export function crashOf(error: unknown): Fault {
  const isError = error instanceof Error;
  const message = isError ? `${error.name}: ${error.message}` : String(error);
  return { kind: "crash", message, stack: isError ? (error.stack ?? "") : "" };
}

/**
 * What faults of one cause have in common: the kind, the error's name and the innermost place in the sources, so
 * that a fault met a thousand times is kept once.
 */
export function signatureOf(target: string, fault: Fault): string {
  const frame = /\/((?:src|test)\/[\w./-]+\.ts):(\d+)/.exec(fault.stack);
  const name = fault.message.split(":")[0] ?? "";
  return [target, fault.kind, name, frame === null ? "" : `${frame[1]}:${frame[2]}`].join(" ").trim();
}
