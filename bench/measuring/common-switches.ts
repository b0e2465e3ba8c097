import { tmpdir } from "node:os";
import { join } from "node:path";
import { launcher } from "./run.ts";
import { parsePositive } from "./switches.ts";

/** What the benchmarks of whole commands are told alike. */
export interface CommonOptions {
  /** The command that is measured, with places in braces that each benchmark fills. */
  readonly command: string;
  readonly timeoutSeconds: number;
  readonly markdown: boolean;
  readonly jsonPath?: string;
  readonly workFolder: string;
  readonly keep: boolean;
}

/** Where nothing is said. */
interface CommonDefaults {
  /** Of the folder in the system's temporary one. */
  readonly folderName: string;
  /** Behind the launcher. */
  readonly command: string;
  readonly timeoutSeconds: number;
}

const TEXT = { type: "string" } as const;
const FLAG = { type: "boolean" } as const;

/** For `parseSwitches`. */
export const COMMON_SWITCHES = {
  ...{ command: TEXT, timeout: TEXT, json: TEXT, work: TEXT },
  ...{ markdown: FLAG, keep: FLAG, help: FLAG },
} as const;

/** What was parsed of `COMMON_SWITCHES`. Throws USAGE. */
export function readCommonSwitches(
  values: {
    readonly command?: string | undefined;
    readonly timeout?: string | undefined;
    readonly json?: string | undefined;
    readonly work?: string | undefined;
    readonly markdown?: boolean | undefined;
    readonly keep?: boolean | undefined;
  },
  { folderName, command, timeoutSeconds }: CommonDefaults,
): CommonOptions {
  return {
    command: values.command ?? `${launcher()} ${command}`,
    timeoutSeconds: parsePositive(values.timeout ?? String(timeoutSeconds), "--timeout"),
    markdown: values.markdown ?? false,
    ...(values.json === undefined ? {} : { jsonPath: values.json }),
    workFolder: values.work ?? join(tmpdir(), folderName),
    keep: values.keep ?? false,
  };
}

/** How often is measured, and on how much. */
export interface TurnOptions {
  /** Runs of each command, in turns. */
  readonly rounds: number;
  /** Length of the sources. */
  readonly seconds: number;
}

/** For `parseSwitches`. */
export const TURN_SWITCHES = { rounds: TEXT, seconds: TEXT } as const;

/** What was parsed of `TURN_SWITCHES`: one round on a minute unless told otherwise. Throws USAGE. */
export function readTurnSwitches(values: {
  readonly rounds?: string | undefined;
  readonly seconds?: string | undefined;
}): TurnOptions {
  return {
    rounds: parsePositive(values.rounds ?? "1", "--rounds"),
    seconds: parsePositive(values.seconds ?? "60", "--seconds"),
  };
}
