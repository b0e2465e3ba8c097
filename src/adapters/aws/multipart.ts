import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { ReelmillError } from "../../base/errors.ts";
import { MAX_PARTS } from "../../jobs/object-lender.ts";
import type { ByteRange, ObjectInfo } from "../../jobs/object-store.ts";
import type { Bucket } from "./bucket.ts";
import { asking } from "./connection.ts";
import { readObject } from "./read-object.ts";

const MIB = 1024 * 1024;
/** What a connection that breaks may cost; S3 takes none below 5 MiB but the last. */
export const FIRST_PART_BYTES = 8 * MIB;
/** Where nobody knows how much comes, so many parts have one size; those behind are twice as large, so that 10,000 reach 5 TB. */
const PARTS_OF_ONE_SIZE = 1000;
/** What is held in memory of one upload at a time, or one part where that is larger, besides the part that is being gathered. */
const MAX_HELD_BYTES = 32 * MIB;
/** The most that one part can copy, and that one request can. */
const MAX_COPY_BYTES = 5 * 1024 * MIB;
const MAX_COPIES_AT_ONCE = 8;

/** How large parts are; tests make them small where the store allows. */
export interface PartSizes {
  /** Of the first parts of an upload; default 8 MiB. */
  readonly firstPartBytes?: number;
  /** Of a part that is copied, and of the largest object that is copied whole; default 5 GiB. */
  readonly copyBytes?: number;
}

/** One part, to be sent with the upload's id and its own number from 1; gives its tag. */
export interface Part {
  /** What it takes of the memory. */
  readonly heldBytes: number;
  readonly send: (uploadId: string, number: number) => Promise<string | undefined>;
}

/**
 * Uploads content of any length: in one request where it is no longer than a part, else in parts, some at a time. Nothing appears
 * unless all of it does, and what was sent of an upload that fails is taken back. `knownBytes` is the content's length where that is
 * known: its parts are then of one size. Throws what the content throws.
 */
export async function upload(
  bucket: Bucket,
  key: string,
  content: AsyncIterable<Uint8Array>,
  { firstPartBytes = FIRST_PART_BYTES }: PartSizes,
  knownBytes?: number,
): Promise<void> {
  const fittingBytes = Math.max(firstPartBytes, Math.ceil((knownBytes ?? 0) / MAX_PARTS));
  const growth = (number: number): number => 2 ** Math.floor((number - 1) / PARTS_OF_ONE_SIZE);
  const parts = gather(content, (number) =>
    knownBytes === undefined ? firstPartBytes * growth(number) : fittingBytes,
  );
  const first = await parts.next();
  const second = first.done === true ? first : await parts.next();
  const { client, name } = bucket;
  if (first.done === true || second.done === true) {
    const Body = first.value ?? new Uint8Array();
    await asking({ bucket: name, key }, () => client.send(new PutObjectCommand({ Bucket: name, Key: key, Body })));
    return;
  }
  const begun = [first.value, second.value];
  await inParts(bucket, key, uploadedParts(bucket, key, begun, parts));
}

async function* uploadedParts(
  bucket: Bucket,
  key: string,
  begun: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Part> {
  for (const bytes of begun) yield uploadedPart(bucket, key, bytes.length, async () => bytes);
  for await (const bytes of rest) yield uploadedPart(bucket, key, bytes.length, async () => bytes);
}

/** A part of so many bytes, which are asked for when it is its turn. */
export function uploadedPart(
  { client, name }: Bucket,
  key: string,
  heldBytes: number,
  give: () => Promise<Uint8Array>,
): Part {
  return {
    heldBytes,
    send: async (UploadId, PartNumber) => {
      const request = new UploadPartCommand({ Bucket: name, Key: key, UploadId, PartNumber, Body: await give() });
      return (await asking({ bucket: name, key }, () => client.send(request))).ETag;
    },
  };
}

/** Pieces of the sizes wished, by their number from 1; the last may be shorter. None of no bytes. */
async function* gather(
  content: AsyncIterable<Uint8Array>,
  sizeOf: (number: number) => number,
): AsyncGenerator<Uint8Array, undefined> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  let number = 1;
  for await (const chunk of content) {
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.subarray(0, sizeOf(number) - bytes);
      rest = rest.subarray(taken.length);
      held.push(taken);
      bytes += taken.length;
      if (bytes < sizeOf(number)) continue;
      yield Buffer.concat(held, bytes);
      [held, bytes, number] = [[], 0, number + 1];
    }
  }
  if (bytes > 0) yield Buffer.concat(held, bytes);
  return undefined;
}

/** What is to be copied: an object of a known size and content. */
export type CopySource = Pick<ObjectInfo, "key" | "bytes" | "tag">;

/** Whether one request can copy so many bytes. */
export function isCopiedWhole(bytes: number, { copyBytes = MAX_COPY_BYTES }: PartSizes): boolean {
  return bytes <= copyBytes;
}

/** Copies an object in parts within the bucket; none of its bytes comes by here. Throws STORE_UNAVAILABLE where it was replaced meanwhile. */
export async function copyInParts(bucket: Bucket, from: CopySource, key: string, sizes: PartSizes): Promise<void> {
  await inParts(bucket, key, copiedParts(bucket, from, key, sizes), () => requireUnchanged(bucket, [from]));
}

/**
 * Whether the store is asked to copy parts of the object. Ceph decodes the name in that request twice: by a key with `%` it copies another
 * object, or breaks down. Of stores at an endpoint of their own nobody knows which they are.
 */
export function isCopiedInParts({ client }: Bucket, key: string): boolean {
  return client.config.forcePathStyle !== true || !key.includes("%");
}

/** Some stores take no notice of the condition that a copy is made on. To be asked when all copies are made. Throws STORE_UNAVAILABLE. */
export async function requireUnchanged(bucket: Bucket, copied: readonly CopySource[]): Promise<void> {
  const tags = new Map(copied.map(({ key, tag }) => [key, tag]));
  for (const [key, tag] of tags) await readObject(bucket, key, { start: 0, end: 0 }, tag);
}

async function* copiedParts(
  bucket: Bucket,
  from: CopySource,
  key: string,
  { copyBytes = MAX_COPY_BYTES }: PartSizes,
): AsyncGenerator<Part> {
  for (let start = 0; start < from.bytes; start += copyBytes) {
    yield copiedPart(bucket, from, key, { start, end: Math.min(start + copyBytes, from.bytes) });
  }
}

/** A part that the store copies itself. */
export function copiedPart(bucket: Bucket, from: CopySource, key: string, { start, end }: ByteRange): Part {
  const source = { Bucket: bucket.name, Key: key, CopySource: copySourceOf(bucket, from.key), ...ifSame(from.tag) };
  return {
    heldBytes: MAX_HELD_BYTES / MAX_COPIES_AT_ONCE,
    send: async (UploadId, PartNumber) => {
      const part = { UploadId, PartNumber, CopySourceRange: `bytes=${start}-${end - 1}` };
      const request = new UploadPartCopyCommand({ ...source, ...part });
      const { CopyPartResult } = await asking({ bucket: bucket.name, key: from.key }, () =>
        bucket.client.send(request),
      );
      return CopyPartResult?.ETag;
    },
  };
}

/** The condition that what is copied is still the content of that tag. */
export function ifSame(tag: string): { readonly CopySourceIfMatch?: string } {
  return tag === "" ? {} : { CopySourceIfMatch: tag };
}

/** The header that names what to copy, which is percent-encoded, other than keys elsewhere. */
export function copySourceOf({ name }: Bucket, key: string): string {
  return `${name}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/**
 * Makes an object of parts. Nothing appears unless all are sent and `check`, which is asked then, does not throw; what was sent of those that
 * fail is taken back.
 */
export async function inParts(
  bucket: Bucket,
  key: string,
  parts: AsyncIterable<Part>,
  check?: () => Promise<void>,
): Promise<void> {
  const { client, name: Bucket } = bucket;
  const subject = { bucket: Bucket, key };
  const created = await asking(subject, () => client.send(new CreateMultipartUploadCommand({ Bucket, Key: key })));
  const target = { Bucket, Key: key, UploadId: created.UploadId };
  try {
    const Parts = await sendAll(key, created.UploadId ?? "", parts);
    await check?.();
    await asking(subject, () =>
      client.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } })),
    );
  } catch (error) {
    // What went wrong is what the caller hears; parts that cannot be taken back now go by the bucket's lifecycle rule.
    await client.send(new AbortMultipartUploadCommand(target)).catch(() => undefined);
    throw error;
  }
}

/** Sends parts, as many at a time as memory allows. Leaves none on its way, also where it throws. */
async function sendAll(key: string, uploadId: string, parts: AsyncIterable<Part>) {
  const sent: { PartNumber: number; ETag: string | undefined }[] = [];
  const onTheirWay = new Set<Promise<void>>();
  let heldBytes = 0;
  try {
    for await (const part of parts) {
      while (onTheirWay.size > 0 && heldBytes + part.heldBytes > MAX_HELD_BYTES) await Promise.race(onTheirWay);
      const PartNumber = sent.length + 1;
      if (PartNumber > MAX_PARTS) {
        throw new ReelmillError(
          "NO_SPACE",
          `An object can have no more than ${MAX_PARTS} parts; "${key}" is too long.`,
        );
      }
      const entry: (typeof sent)[number] = { PartNumber, ETag: undefined };
      sent.push(entry);
      heldBytes += part.heldBytes;
      const work: Promise<void> = part.send(uploadId, PartNumber).then((tag) => {
        entry.ETag = tag;
        heldBytes -= part.heldBytes;
        onTheirWay.delete(work);
      });
      // Whoever awaits it hears of a failure; until then it must not count as one that nobody handles.
      work.catch(() => undefined);
      onTheirWay.add(work);
    }
    await Promise.all(onTheirWay);
  } finally {
    await Promise.allSettled(onTheirWay);
  }
  return sent;
}
