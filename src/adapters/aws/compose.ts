import { ReelmillError } from "../../base/errors.ts";
import { printableLine } from "../../base/printable.ts";
import { bytesOfParts, readParts, requireInside, sliceParts } from "../../jobs/object-parts.ts";
import type { ByteRange, MovedBytes, ObjectPart } from "../../jobs/object-store.ts";
import type { Bucket } from "./bucket.ts";
import { statusOf } from "./connection.ts";
import {
  type CopySource,
  copiedPart,
  inParts,
  isCopiedInParts,
  type Part,
  type PartSizes,
  requireUnchanged,
  upload,
  uploadedPart,
} from "./multipart.ts";
import { readObject } from "./read-object.ts";

const MIB = 1024 * 1024;
/** S3 takes no smaller part but the last, and copies no ranges of objects that are not larger. */
const MIN_PART_BYTES = 5 * MIB;
/** Copied side by side, several parts are quicker than one. */
const COPY_BYTES = 128 * MIB;
/** S3 allows 10,000 parts; half of them leaves room for those between the copies. */
const MAX_COPIES = 5000;

/** How an object is put together. */
interface ComposeOptions extends PartSizes {
  readonly signal?: AbortSignal | undefined;
}

/** A part of the upload: copied by the store, or brought there. */
type Step =
  | { readonly kind: "copy"; readonly from: CopySource; readonly range: ByteRange }
  | { readonly kind: "upload"; readonly parts: readonly ObjectPart[] };

/**
 * Puts an object together in one upload in parts: what can be is copied within the bucket. What cannot is downloaded and uploaded: bytes
 * that fill a part up to the least size, ranges of small objects, and all where the store does not copy parts. Nothing appears unless all
 * of it does. Throws OBJECT_NOT_FOUND, STORE_UNAVAILABLE, STORE_REFUSED, NO_SPACE, ABORTED, RangeError.
 */
export async function composeObject(
  bucket: Bucket,
  key: string,
  parts: readonly ObjectPart[],
  options: ComposeOptions,
): Promise<MovedBytes> {
  requireInside(parts);
  const steps = planSteps(parts);
  const copied = copiedOf(steps);
  try {
    if (copied.length > 0 && copied.every((from) => isCopiedInParts(bucket, from.key))) {
      return await composeByCopy(bucket, key, steps, options);
    }
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
  return await composeByUpload(bucket, key, parts, options);
}

async function composeByCopy(
  bucket: Bucket,
  key: string,
  steps: readonly Step[],
  { signal }: ComposeOptions,
): Promise<MovedBytes> {
  await inParts(bucket, key, toParts(bucket, key, steps, signal), () => requireUnchanged(bucket, copiedOf(steps)));
  return steps.map(movedBy).reduce(addMoved);
}

async function* toParts(
  bucket: Bucket,
  key: string,
  steps: readonly Step[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Part> {
  for (const step of steps) {
    requireWanted(key, signal);
    if (step.kind === "upload") {
      yield uploadedPart(bucket, key, bytesOfParts(step.parts), () => collect(bucket, step.parts));
      continue;
    }
    const part = copiedPart(bucket, step.from, key, step.range);
    yield {
      ...part,
      send: async (uploadId, number) => {
        const tag = await part.send(uploadId, number);
        // Who does not know of copies takes the request for a part without content.
        if (tag === undefined) throw new ReelmillError("STORE_REFUSED", NO_COPY);
        return tag;
      },
    };
  }
}

function copiedOf(steps: readonly Step[]): readonly CopySource[] {
  return steps.flatMap((step) => (step.kind === "copy" ? [step.from] : []));
}

const NO_COPY = "The store did not say that it copied a part.";

/** Whether the store answered that it does not copy parts. */
function isUnsupported(error: unknown): boolean {
  if (!(error instanceof ReelmillError)) return false;
  return error.problem === NO_COPY || [405, 501].includes(statusOf(error.cause) ?? 0);
}

async function composeByUpload(
  bucket: Bucket,
  key: string,
  parts: readonly ObjectPart[],
  { signal, ...sizes }: ComposeOptions,
): Promise<MovedBytes> {
  async function* content(): AsyncGenerator<Uint8Array> {
    for await (const chunk of readOf(bucket, parts)) {
      requireWanted(key, signal);
      yield chunk;
    }
  }
  await upload(bucket, key, content(), sizes, bytesOfParts(parts));
  return movedBy({ kind: "upload", parts });
}

function requireWanted(key: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ReelmillError("ABORTED", `The object "${printableLine(key)}" was not put together.`);
}

function readOf(bucket: Bucket, parts: readonly ObjectPart[]): AsyncIterable<Uint8Array> {
  return readParts((key, range, tag) => readObject(bucket, key, range, tag), parts);
}

async function collect(bucket: Bucket, parts: readonly ObjectPart[]): Promise<Uint8Array> {
  const content = new Uint8Array(bytesOfParts(parts));
  let at = 0;
  for await (const chunk of readOf(bucket, parts)) {
    content.set(chunk, at);
    at += chunk.length;
  }
  return content;
}

function movedBy(step: Step): MovedBytes {
  if (step.kind === "copy") {
    return { downloadedBytes: 0, uploadedBytes: 0, copiedBytes: step.range.end - step.range.start };
  }
  const ranges = step.parts.filter(({ kind }) => kind === "range");
  return { downloadedBytes: bytesOfParts(ranges), uploadedBytes: bytesOfParts(step.parts), copiedBytes: 0 };
}

function addMoved(a: MovedBytes, b: MovedBytes): MovedBytes {
  return {
    downloadedBytes: a.downloadedBytes + b.downloadedBytes,
    uploadedBytes: a.uploadedBytes + b.uploadedBytes,
    copiedBytes: a.copiedBytes + b.copiedBytes,
  };
}

/** Copies as much as the sizes of parts allow: in front of a copy, what is uploaded is filled up from the range. */
function planSteps(parts: readonly ObjectPart[]): readonly Step[] {
  const totalBytes = bytesOfParts(parts);
  const copyBytes = Math.max(COPY_BYTES, Math.ceil(totalBytes / MAX_COPIES));
  const steps: Step[] = [];
  let held: ObjectPart[] = [];
  const hold = (part: ObjectPart): void => {
    held.push(part);
    for (let bytes = bytesOfParts(held); bytes >= 2 * MIN_PART_BYTES; bytes -= MIN_PART_BYTES) {
      steps.push({ kind: "upload", parts: sliceParts(held, { start: 0, end: MIN_PART_BYTES }) });
      held = [...sliceParts(held, { start: MIN_PART_BYTES, end: bytes })];
    }
  };
  const flush = (): void => {
    if (bytesOfParts(held) > 0) steps.push({ kind: "upload", parts: held });
    held = [];
  };
  for (const [index, part] of parts.entries()) {
    if (part.kind === "bytes" || part.from.bytes <= MIN_PART_BYTES) {
      hold(part);
      continue;
    }
    const { from, range } = part;
    const heldBytes = bytesOfParts(held);
    const filling = heldBytes === 0 ? 0 : Math.max(0, MIN_PART_BYTES - heldBytes);
    const start = Math.min(range.end, range.start + filling);
    const isLast = index === parts.length - 1;
    if (range.end - start < (isLast ? 1 : MIN_PART_BYTES)) {
      hold(part);
      continue;
    }
    if (filling > 0) held.push({ ...part, range: { start: range.start, end: start } });
    flush();
    steps.push(...copiesOf(from, { start, end: range.end }, copyBytes));
  }
  flush();
  return steps;
}

/** As few parts as fit, of one size, so that none is too small. */
function copiesOf(from: CopySource, { start, end }: ByteRange, copyBytes: number): readonly Step[] {
  const count = Math.ceil((end - start) / copyBytes);
  const at = (number: number): number => start + Math.floor(((end - start) * number) / count);
  return Array.from({ length: count }, (_, number) => ({
    kind: "copy" as const,
    from,
    range: { start: at(number), end: at(number + 1) },
  }));
}
