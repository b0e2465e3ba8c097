import { resolve } from "node:path";
import type { DeployedStack } from "../../../adapters/aws/account.ts";
import { OUTPUTS, STACK_NAMES } from "../../../adapters/aws/stack-names.ts";
import { loadConfig } from "../../../base/config.ts";
import { ReelmillError } from "../../../base/errors.ts";
import { printableJson, printableLine } from "../../../base/printable.ts";
import { openAccount } from "../../account-wiring.ts";
import type { CliContext } from "../cli-context.ts";
import { readKey } from "../client/connect.ts";
import { forgetPlace, type Place, readPlace, serverHere, writePlace } from "../client/place.ts";
import { EXIT_OK } from "../exit-codes.ts";
import type { UseOptions } from "./options.ts";

const HERE = "local";

/**
 * Points the commands that talk to a server at the API of a stack, or at this machine again, or shows where they point. Gives 0. Throws USAGE,
 * CONFIG_INVALID, INPUT_UNREADABLE, AWS_NOT_CONFIGURED, STACK_NOT_FOUND, OUTPUT_UNWRITABLE, STORE_REFUSED, STORE_UNAVAILABLE.
 */
export async function runUseCommand(
  stack: string | undefined,
  { apiKeyFile, json }: UseOptions,
  context: CliContext,
): Promise<number> {
  const { environment } = context;
  if (apiKeyFile !== undefined && (stack === undefined || stack === HERE)) {
    throw new ReelmillError("USAGE", "--api-key-file goes with the name of a stack.");
  }
  const { client, server } = loadConfig(environment);
  if (stack === HERE) forgetPlace(environment);
  else if (stack !== undefined) {
    const keyFile = apiKeyFile === undefined ? undefined : requireKeyFile(apiKeyFile);
    const account = await openAccount(client);
    try {
      const region = await account.requireRegion();
      const found = await account.getStack(stack);
      writePlace(environment, placeOf({ stack, region, keyFile }, found));
    } finally {
      account.close();
    }
  }
  showWhere(readPlace(environment), serverHere(server), json, context);
  if (client.server !== undefined) {
    context.writeError(`REELMILL_SERVER goes before it: ${printableLine(client.server)}\n`);
  }
  return EXIT_OK;
}

/** The absolute path of a file that holds a key. Throws INPUT_UNREADABLE, USAGE. */
export function requireKeyFile(path: string): string {
  readKey(path);
  return resolve(path);
}

/** A stack that was asked for. */
export interface NamedStack {
  readonly stack: string;
  readonly region: string;
  /** Absolute. */
  readonly keyFile: string | undefined;
}

/** The place that a stack is. Throws STACK_NOT_FOUND where there is none of that name, or it has no API. */
export function placeOf({ stack, region, keyFile }: NamedStack, found: DeployedStack | undefined): Place {
  if (found === undefined) {
    throw new ReelmillError("STACK_NOT_FOUND", `There is no stack "${stack}" in ${region} for these credentials.`, {
      advice: `\`reelmill deploy\` makes ${STACK_NAMES.interface}; AWS_REGION and AWS_PROFILE say where it is looked for.`,
    });
  }
  const server = found.outputs[OUTPUTS.apiUrl];
  if (server === undefined || !URL.canParse(server)) {
    throw new ReelmillError(
      "STACK_NOT_FOUND",
      `The stack "${stack}" (${found.status}) has no output ${OUTPUTS.apiUrl}.`,
      {
        advice: `The stack that has the API is ${STACK_NAMES.interface}.`,
      },
    );
  }
  return { stack, region, server, ...(keyFile === undefined ? {} : { apiKeyFile: keyFile }) };
}

function showWhere(place: Place | undefined, here: string, json: boolean, context: CliContext): void {
  if (json) {
    context.writeOutput(`${printableJson({ schema: 1, place: place ?? { stack: null, server: here } })}\n`);
    return;
  }
  context.writeOutput(`${place === undefined ? `This machine: ${here}` : describePlace(place)}\n`);
}

/** One line to read. */
export function describePlace({ stack, region, server, apiKeyFile }: Place): string {
  return printableLine(`${stack} in ${region}: ${server}${apiKeyFile === undefined ? "" : `, key in ${apiKeyFile}`}`);
}
