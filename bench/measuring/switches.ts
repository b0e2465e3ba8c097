import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { ReelmillError } from "../../src/base/errors.ts";

/** Reads switches alone, no words beside them. Throws USAGE with `usage` behind what is wrong. */
export function parseSwitches<Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  usage: string,
) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new ReelmillError("USAGE", `${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

/** A whole number from 1 on; `option` names where it stands. Throws USAGE. */
export function parsePositive(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new ReelmillError("USAGE", `${option} takes a whole number from 1 on, not ${text}.`);
  }
  return value;
}
