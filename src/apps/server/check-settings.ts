import { accessSync, constants } from "node:fs";
import { parseWebhookUrl } from "../../adapters/webhook/webhook-url.ts";
import type { Config } from "../../base/config-defaults.ts";
import { type ErrorCode, ReelmillError } from "../../base/errors.ts";
import { makeFolderSync } from "../../base/make-folder.ts";
import { systemCodeOf } from "../../base/system-code.ts";

/** Why no folder can be there, by what the system says; all of it is for whoever named the folder to mend. */
const NO_FOLDER: ReadonlyMap<string, string> = new Map([
  ["EEXIST", "a file lies there"],
  ["ENOTDIR", "a part of it is a file"],
  ["EACCES", "this user may not make it"],
  ["EPERM", "this user may not make it"],
  ["EROFS", "the file system is read-only"],
  ["ENAMETOOLONG", "a part of it is too long a name"],
  ["ENOENT", "the file system makes none there"],
  ["ELOOP", "its links lead round in a circle"],
]);

/**
 * Makes the data folder where it is missing. `option` is what the command line names, else it is what REELMILL_DATA says.
 * Throws USAGE or CONFIG_INVALID where there can be none, STORE_UNAVAILABLE where the disk does not allow it for now.
 */
export function requireDataFolder(path: string, option: string | undefined): void {
  try {
    makeFolderSync(path);
  } catch (error) {
    const reason = NO_FOLDER.get(systemCodeOf(error) ?? "");
    const [code, name]: [ErrorCode, string] =
      option === undefined ? ["CONFIG_INVALID", "REELMILL_DATA"] : ["USAGE", "--data"];
    if (reason !== undefined) {
      const message = `${name} is "${path}", but must be a folder, or a path where one can be made: ${reason}.`;
      throw new ReelmillError(code, message, { cause: error });
    }
    const told = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("STORE_UNAVAILABLE", `The folder ${path} cannot be made: ${told}.`, { cause: error });
  }
}

/** Throws CONFIG_INVALID where a webhook of the configuration may not go where it should; the address is a secret. */
export function requireWebhooks({ server }: Config): void {
  for (const [index, { url }] of server.webhooks.entries()) {
    try {
      parseWebhookUrl(url, { allowPrivateNetworks: server.allowsPrivateWebhooks });
    } catch (error) {
      if (!(error instanceof ReelmillError)) throw error;
      const which = server.webhooks.length === 1 ? "" : ` (address ${index + 1} of ${server.webhooks.length})`;
      throw new ReelmillError("CONFIG_INVALID", `REELMILL_WEBHOOK_URLS${which}: ${error.message}`, { cause: error });
    }
  }
}

/** Throws CONFIG_INVALID where the folder of keys that the configuration names is none, and there are workers, who alone read it. */
export function requireKeyFolder({ hlsKeyFolder: folder, server }: Config): void {
  if (folder === undefined || server.maxWorkers === 0) return;
  try {
    // Keys are asked for by their names: nobody has to list them.
    accessSync(`${folder}/.`, constants.X_OK);
  } catch (error) {
    const message = `REELMILL_HLS_KEY_FOLDER is "${folder}", but no folder is there that this user may use.`;
    throw new ReelmillError("CONFIG_INVALID", message, { cause: error });
  }
}

/** Throws CONFIG_INVALID where the configuration has no workers. */
export function requireWorkers({ server }: Config): void {
  if (server.maxWorkers > 0) return;
  throw new ReelmillError("CONFIG_INVALID", 'REELMILL_MAX_WORKERS is "0", but a worker needs 1 or more.');
}
