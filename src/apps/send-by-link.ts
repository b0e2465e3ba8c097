import { z } from "zod";
import { ReelmillError } from "../base/errors.ts";
import { runPool } from "../base/run-pool.ts";
import { MAX_PARTS } from "../jobs/object-lender.ts";
import { exchange } from "./http-exchange.ts";

/** What a link was given out for: one request to the store, without any key of the API. */
export const LINK = z.object({
  url: z.url({ protocol: /^https?$/ }),
  headers: z.record(z.string(), z.string()).default({}),
});
const PARTS = z.object({ upload_id: z.string().min(1), part_bytes: z.int().min(1) });
const NOTHING = z.unknown();
/** One connection may not fill the line. */
const PARTS_AT_ONCE = 4;

type Path = "/upload-url" | "/upload-part-url" | "/complete-upload";

/** A file on its way to the store of an API that gives out links. */
export interface LinkedUpload {
  readonly path: string;
  /** In the input bucket. */
  readonly key: string;
  readonly bytes: number;
  /** How it is called in messages. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Told the bytes sent so far; less than before where some have to be sent anew. */
  readonly onProgress: (sentBytes: number) => void;
  /** Asks the API, with POST. */
  readonly ask: <T>(path: Path, schema: z.ZodType<T>, body: object, signal: AbortSignal) => Promise<T>;
  /** Tells `POST /abort-upload`, also where `signal` has ended everything else. */
  readonly abandon: (body: object) => Promise<void>;
  /** Does what failed again, where that may help. */
  readonly retrying: <T>(attempt: () => Promise<T>) => Promise<T>;
}

/**
 * Sends a file by links of `POST /upload-url`: in one request, which the store takes whole or not at all, or in parts where the API answers so, of
 * which one that breaks is sent anew alone. Every try has a link of its own. Throws what `ask` does, and as `exchange`.
 */
export async function sendByLink(upload: LinkedUpload): Promise<void> {
  const { key, bytes, signal, ask, retrying } = upload;
  const asked = { key, size_bytes: bytes, multipart: true };
  let sent = 0;
  const onBytes = (more: number): void => {
    sent += more;
    upload.onProgress(sent);
  };
  const parts = await retrying(async () => {
    const answer = await ask("/upload-url", z.union([PARTS, LINK]), asked, signal);
    if ("upload_id" in answer) return answer;
    upload.onProgress(0);
    await put(upload, { from: 0, bytes }, answer, onBytes, signal);
    return undefined;
  });
  if (parts !== undefined) await sendParts(upload, parts, onBytes);
}

async function sendParts(
  upload: LinkedUpload,
  begun: z.output<typeof PARTS>,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { key, bytes, signal, ask, retrying } = upload;
  const { upload_id, part_bytes: partBytes } = begun;
  const count = Math.ceil(bytes / partBytes);
  const named = { key, upload_id, size_bytes: bytes };
  const etags: string[] = [];
  let isCompleting = false;
  try {
    if (count > MAX_PARTS) throw new ReelmillError("CLOUD_REFUSED", `${upload.what} was to have ${count} parts.`);
    const sendPart = async (index: number, either: AbortSignal): Promise<void> => {
      etags[index] = await retrying(async () => {
        const link = await ask("/upload-part-url", LINK, { ...named, part_number: index + 1 }, either);
        const from = index * partBytes;
        const etag = await put(upload, { from, bytes: Math.min(partBytes, bytes - from) }, link, onBytes, either);
        if (etag !== undefined) return etag;
        const message = `${upload.what}: the store took a part, and did not say what it calls it.`;
        throw new ReelmillError("CLOUD_REFUSED", message);
      });
    };
    const indexes = Array.from({ length: count }, (_, index) => index);
    await runPool(indexes, PARTS_AT_ONCE, signal, sendPart);
    isCompleting = true;
    await retrying(() => ask("/complete-upload", NOTHING, { ...named, etags }, signal));
  } catch (error) {
    // What went wrong is what the caller hears; parts that are not removed now go by the store's own rules. It may be putting them together, unheard.
    if (!isCompleting) await upload.abandon({ key, upload_id }).catch(() => undefined);
    throw error;
  }
}

/** Writes bytes of the file, and gives what the store calls them. `onBytes` hears of bytes that went out, and in the end of those that went out in vain, below 0. */
async function put(
  { path, what }: LinkedUpload,
  range: { readonly from: number; readonly bytes: number },
  link: z.output<typeof LINK>,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  let sent = 0;
  let isOver = false;
  const onMore = (more: number): void => {
    // Some go out still where the store has answered before it had all.
    if (isOver) return;
    sent += more;
    onBytes(more);
  };
  try {
    const body = { path, ...range };
    return (await exchange({ ...link, method: "PUT", what, body, onBytes: onMore, signal })).etag;
  } catch (error) {
    isOver = true;
    onBytes(-sent);
    throw error;
  }
}
