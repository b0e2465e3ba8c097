import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import { sendByLink } from "../../send-by-link.ts";
import { safeUploadName } from "../../server/upload-name.ts";
import type { CliContext } from "../cli-context.ts";
import type { ApiClient, ApiRequest } from "./api-client.ts";
import { type LocalFile, withLocalFile } from "./local-file.ts";
import { objectPath } from "./paths.ts";
import { pauseAfter } from "./pause-after.ts";
import { statusOf } from "./problem.ts";
import { MAX_FAILURES, type UploadHooks } from "./upload.ts";

/** What the server's input bucket is to its jobs. */
const INPUT_ROOT = "uploads/";

/**
 * Sends a local file to the server's store as `sendByLink` does, and gives the key of the object that it has become. Throws what `requireSendable`
 * does, UPLOAD_CHANGED, SERVER_UNREACHABLE, UPLOAD_REFUSED, ABORTED, refusals.
 */
export async function uploadByLink(
  client: ApiClient,
  path: string,
  context: Pick<CliContext, "sleep">,
  hooks: UploadHooks,
): Promise<string> {
  return await withLocalFile(path, async ({ sizeBytes: bytes, requireUnchanged }) => {
    const key = `${randomUUID()}/${safeUploadName(basename(path))}`;
    await sendByLink({
      ...{ path, key, bytes, what: `The upload of ${path} to the server's store`, signal: client.signal },
      onProgress: (sentBytes) => hooks.onProgress(sentBytes, bytes),
      ask: async (asked, schema, body, signal) =>
        (await client.ask(asked, schema, { ...toRequest(body), signal })).value,
      abandon: async (body) => void (await client.forTidying().tell("/abort-upload", toRequest(body))),
      retrying: (attempt) => retry(attempt, { client, requireUnchanged }, context, hooks),
    });
    await requireUnchanged().catch(async (error: unknown) => await removeAgain(client, INPUT_ROOT + key, error));
    return INPUT_ROOT + key;
  });
}

function toRequest(body: object): ApiRequest {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

async function retry<T>(
  attempt: () => Promise<T>,
  { client, requireUnchanged }: Pick<LocalFile, "requireUnchanged"> & { readonly client: ApiClient },
  context: Pick<CliContext, "sleep">,
  hooks: UploadHooks,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (reason) {
      const error = translate(reason);
      await requireUnchanged();
      if (!isPassing(error) || failures >= MAX_FAILURES) throw error;
      failures += 1;
      hooks.onRetry?.(error);
      await context.sleep(pauseAfter(failures), client.signal);
    }
  }
}

function isPassing(error: unknown): error is ReelmillError {
  if (!(error instanceof ReelmillError) || error.code === "ABORTED") return false;
  // What stands before a server answers without its codes.
  return error.retryable || (statusOf(error) ?? 0) >= 500;
}

/** The codes of the edge are about the batch API that it was told of. */
function translate(error: unknown): unknown {
  if (!(error instanceof ReelmillError)) return error;
  const { message, code } = error;
  if (code === "CLOUD_UNREACHABLE") return new ReelmillError("SERVER_UNREACHABLE", message, { cause: error });
  if (code === "CLOUD_REFUSED") return new ReelmillError("UPLOAD_REFUSED", message, { cause: error });
  return error;
}

async function removeAgain(client: ApiClient, key: string, reason: unknown): Promise<never> {
  try {
    await client.forTidying().tell(objectPath(key), { method: "DELETE" });
  } catch {
    // It is kept no longer than other uploads; what changed is the failure to tell.
  }
  throw reason;
}
