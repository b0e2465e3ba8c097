import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { ReelmillError } from "../../../base/errors.ts";
import { exchange } from "../../http-exchange.ts";
import { safeUploadName } from "../../server/upload-name.ts";
import type { CliContext } from "../cli-context.ts";
import type { ApiClient } from "./api-client.ts";
import { type LocalFile, withLocalFile } from "./local-file.ts";
import { objectPath } from "./paths.ts";
import { pauseAfter } from "./pause-after.ts";
import type { UploadHooks } from "./upload.ts";
import { LENT } from "./views.ts";

/** Each costs the whole file. */
const MAX_FAILURES = 4;
/** What the server's input bucket is to its jobs. */
const INPUT_ROOT = "uploads/";

/**
 * Sends a local file to the server's store by a link of `POST /upload-url`, in one request, and gives the key of the object that it has become. The
 * store takes all or nothing: after a broken connection it is sent anew from its beginning, by a new link. Throws what `requireSendable` does,
 * UPLOAD_CHANGED, SERVER_UNREACHABLE, UPLOAD_REFUSED, ABORTED, refusals.
 */
export async function uploadByLink(
  client: ApiClient,
  path: string,
  context: Pick<CliContext, "sleep">,
  hooks: UploadHooks,
): Promise<string> {
  return await withLocalFile(path, async ({ sizeBytes: bytes, requireUnchanged }) => {
    const key = `${randomUUID()}/${safeUploadName(basename(path))}`;
    await sendWhole({ client, path, key, bytes, requireUnchanged }, context, hooks);
    await requireUnchanged().catch(async (error: unknown) => await removeAgain(client, INPUT_ROOT + key, error));
    return INPUT_ROOT + key;
  });
}

/** A file on its way. */
interface Sending {
  readonly client: ApiClient;
  readonly path: string;
  /** In the input bucket. */
  readonly key: string;
  readonly bytes: number;
  readonly requireUnchanged: LocalFile["requireUnchanged"];
}

async function sendWhole(sending: Sending, context: Pick<CliContext, "sleep">, hooks: UploadHooks): Promise<void> {
  const { client, requireUnchanged } = sending;
  for (let failures = 0; ; ) {
    try {
      return await sendOnce(sending, hooks);
    } catch (error) {
      await requireUnchanged();
      const isPassing = error instanceof ReelmillError && error.retryable && error.code !== "ABORTED";
      if (!isPassing || failures >= MAX_FAILURES) throw error;
      failures += 1;
      const message = `${error.message} It is sent in one request, so from its beginning.`;
      hooks.onRetry?.(new ReelmillError(error.code, message, { cause: error }));
      await context.sleep(pauseAfter(failures), client.signal);
    }
  }
}

async function sendOnce({ client, path, key, bytes }: Sending, { onProgress }: UploadHooks): Promise<void> {
  const { signal } = client;
  const body = JSON.stringify({ key, size_bytes: bytes });
  const asked = { method: "POST", headers: { "content-type": "application/json" }, body } as const;
  // With the link alone: no key of the API goes to the store.
  const { url, headers } = (await client.ask("/upload-url", LENT, asked)).value;
  let sent = 0;
  onProgress(0, bytes);
  const onBytes = (more: number): void => {
    sent += more;
    onProgress(sent, bytes);
  };
  try {
    const what = `The upload of ${path} to the server's store`;
    await exchange({ method: "PUT", url, what, headers, body: { path, bytes }, onBytes, signal });
  } catch (error) {
    throw translate(error);
  }
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
