import { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { ReelmillError } from "../../base/errors.ts";
import { printableLine } from "../../base/printable.ts";
import type { ByteRange } from "../../jobs/object-store.ts";
import { type Bucket, headObject } from "./bucket.ts";
import { statusOf, translateAwsError } from "./connection.ts";

/** Connections in a row that may be lost without a byte come before an object counts as out of reach. */
const MAX_FAILURES = 3;

/** A body on its way. */
interface Body {
  readonly stream: Readable;
  /** Where in the object its last byte is followed by none. */
  readonly end: number;
  readonly tag: string | undefined;
}

/**
 * The bytes of an object, all or of a range clipped to it. A connection that is lost on the way is made again from there on, as long as
 * the object is the same. Throws OBJECT_NOT_FOUND, and STORE_UNAVAILABLE where a tag is given and the object is another; so does the iteration.
 */
export async function readObject(
  bucket: Bucket,
  key: string,
  range: ByteRange | undefined,
  tag?: string,
): Promise<AsyncIterable<Uint8Array>> {
  const start = Math.max(0, range?.start ?? 0);
  const end = range?.end ?? Number.POSITIVE_INFINITY;
  if (end <= start) {
    const now = await headObject(bucket, key);
    if (!isSame(tag, now.tag)) throw changed(key);
    return nothing();
  }
  const body = await openBody(bucket, key, { start, end }, tag || undefined);
  if (body === undefined) return nothing();
  // Some stores take no notice of the condition.
  if (isSame(tag, body.tag)) return stream(bucket, key, start, body);
  body.stream.destroy();
  throw changed(key);
}

/** Whether a content is the one that is wanted; any is where the store told no tag. */
function isSame(wanted: string | undefined, found: string | undefined): boolean {
  return wanted === undefined || wanted === "" || wanted === found;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Undefined where the object ends before the range begins. */
async function openBody(
  { client, name }: Bucket,
  key: string,
  { start, end }: ByteRange,
  tag: string | undefined,
): Promise<Body | undefined> {
  const last = Number.isFinite(end) ? end - 1 : "";
  const isWhole = start === 0 && last === "";
  const request = new GetObjectCommand({
    Bucket: name,
    Key: key,
    ...(isWhole ? {} : { Range: `bytes=${start}-${last}` }),
    ...(tag === undefined ? {} : { IfMatch: tag }),
  });
  try {
    const { Body: body, ContentLength = 0, ETag } = await client.send(request);
    if (!(body instanceof Readable)) throw new ReelmillError("INTERNAL", "The body of an object is no stream.");
    return { stream: body, end: start + ContentLength, tag: ETag };
  } catch (error) {
    if (statusOf(error) === 416) return undefined;
    if (statusOf(error) === 412) throw changed(key);
    throw translateAwsError({ bucket: name, key }, error);
  }
}

/** Not a generator: one that was not begun yet would not hear that it is left off, and its connection stay open. */
function stream(bucket: Bucket, key: string, start: number, first: Body): AsyncIterable<Uint8Array> {
  let body = first;
  let at = start;
  let failures = 0;
  let chunks = body.stream[Symbol.asyncIterator]();
  const resume = async (cause: unknown): Promise<void> => {
    body.stream.destroy();
    failures += 1;
    if (failures > MAX_FAILURES) throw translateAwsError({ bucket: bucket.name, key }, cause);
    const again = await openBody(bucket, key, { start: at, end: first.end }, first.tag);
    if (again === undefined || again.end !== first.end || again.tag !== first.tag) throw changed(key);
    body = again;
    chunks = body.stream[Symbol.asyncIterator]();
  };
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    for (;;) {
      try {
        const { done, value } = (await chunks.next()) as IteratorResult<Uint8Array, undefined>;
        if (done !== true) {
          at += value.length;
          failures = 0;
          return { done: false, value };
        }
      } catch (error) {
        await resume(error);
        continue;
      }
      if (at >= first.end) return { done: true, value: undefined };
      await resume(new ReelmillError("STORE_UNAVAILABLE", `The object "${printableLine(key)}" broke off.`));
    }
  };
  const finish = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    body.stream.destroy();
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: finish }) };
}

function changed(key: string): ReelmillError {
  return new ReelmillError("STORE_UNAVAILABLE", `The object "${printableLine(key)}" was replaced while it was read.`);
}
