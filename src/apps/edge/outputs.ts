import { constants } from "node:fs";
import { access } from "node:fs/promises";
import type { ErrorCode } from "../../base/errors.ts";
import { translateOutputError } from "../../base/file-errors.ts";
import type { Room } from "./room.ts";
import type { EdgeSettings } from "./settings.ts";
import { isMissing, messageOf } from "./system-errors.ts";

/** Put-offs that are bound to meet every other file, too. */
const OF_THE_FOLDERS: ReadonlySet<ErrorCode | undefined> = new Set<ErrorCode>(["OUTPUT_UNWRITABLE", "NO_SPACE"]);

/**
 * Looks whether files may be put where they belong, and taken out of ready/; where they may again, those that were put off for
 * that are due at once. What permissions do not tell, such as a full disk, `outputFaultOf` learns from tries that failed.
 */
export async function checkOutputs({ state, options, book }: Room): Promise<void> {
  const fault = await findFault(options.settings);
  if (fault !== "" && state.outputFault === "") options.log.warn(`Nothing can be exported: ${fault}`);
  if (fault === "" && state.outputFault !== "") {
    options.log.info("The folders can be written again");
    for (const entry of book.entries.values()) {
      if (entry.shown.error?.code === "OUTPUT_UNWRITABLE") entry.retryAtMs = Number.NEGATIVE_INFINITY;
    }
  }
  state.outputFault = fault;
}

/** Why nothing can be exported, for people; empty where nothing is known to be in the way. */
export function outputFaultOf({ state, book }: Room): string {
  if (state.outputFault !== "") return `Nothing can be exported: ${state.outputFault}`;
  for (const { name, shown } of book.entries.values()) {
    if (OF_THE_FOLDERS.has(shown.error?.code)) return `${name} was put off: ${shown.error?.message}`;
  }
  return "";
}

async function findFault(settings: EdgeSettings): Promise<string> {
  const { readyFolder, exportFolder, quarantineFolder, originalsFolder, claimsFolder } = settings;
  for (const folder of [exportFolder, originalsFolder, quarantineFolder, readyFolder, claimsFolder]) {
    try {
      await access(folder, constants.W_OK);
    } catch (error) {
      // Taken away just now: the next probe tells, and makes it anew.
      if (!isMissing(error)) return messageOf(translateOutputError(folder, error));
    }
  }
  return "";
}
