import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  NoSuchUpload,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { ReelmillError } from "../../base/errors.ts";
import { requireObjectKey } from "../../jobs/object-key.ts";
import { MAX_PARTS, type MultipartLender, type MultipartUpload } from "../../jobs/object-lender.ts";
import { type Bucket, headObject } from "./bucket.ts";
import { asking, statusOf } from "./connection.ts";
import { FIRST_PART_BYTES } from "./multipart.ts";

/** The longest object of S3, as all stores that speak its protocol have it. */
export const MAX_OBJECT_BYTES = 5 * 1024 ** 4;
/** Shorter objects are written in one request. */
const ABOVE_BYTES = 100_000_000;

/** How long parts are that are lent; tests make them small where the store allows. */
export interface LentPartSizes {
  /** Of all but the last, unless there would be too many; default 8 MiB. S3 takes none below 5 MiB. */
  readonly partBytes?: number;
  /** Only longer objects are written in parts; default 100 MB. */
  readonly aboveBytes?: number;
}

/** Lends the parts of a bucket's objects by presigned URLs. The client is one that sends no checksums unasked. */
export function createMultipartLender(bucket: Bucket, sizes: LentPartSizes): MultipartLender {
  const { client, name: Bucket } = bucket;
  const { aboveBytes = ABOVE_BYTES } = sizes;
  return {
    begin: async (Key, bytes) => {
      requireObjectKey(Key);
      if (bytes <= aboveBytes) return undefined;
      const partBytes = partBytesOf(bytes, sizes);
      const { UploadId = "" } = await asking({ bucket: Bucket, key: Key }, () =>
        client.send(new CreateMultipartUploadCommand({ Bucket, Key })),
      );
      return { uploadId: UploadId, partBytes };
    },
    lendPart: async (upload, number, forMs) => {
      const { key: Key, uploadId: UploadId, bytes } = upload;
      requireObjectKey(Key);
      const partBytes = partBytesOf(bytes, sizes);
      const left = bytes - (number - 1) * partBytes;
      if (left <= 0) throw new ReelmillError("REQUEST_INVALID", `${bytes} bytes have no part ${number}.`);
      const ContentLength = Math.min(partBytes, left);
      const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: number, ContentLength });
      const expiresIn = Math.floor(forMs / 1000);
      return {
        url: await asking({ bucket: Bucket, key: Key }, () => getSignedUrl(client, part, { expiresIn })),
        headers: {},
      };
    },
    complete: async (upload, tags) => {
      const { key: Key, uploadId: UploadId, bytes } = upload;
      requireObjectKey(Key);
      const count = Math.ceil(bytes / partBytesOf(bytes, sizes));
      if (tags.length !== count) {
        throw new ReelmillError("REQUEST_INVALID", `${bytes} bytes have ${count} parts, not ${tags.length}.`);
      }
      const Parts = tags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
      const command = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } });
      await asking({ bucket: Bucket, key: Key }, async () => {
        try {
          await client.send(command);
        } catch (error) {
          if (await isOfUnknown(bucket, upload, error)) await requireCompleted(bucket, upload, tags.length);
          else throw isOfParts(error) ? refused(error) : error;
        }
      });
    },
    abort: async ({ key: Key, uploadId: UploadId }) => {
      requireObjectKey(Key);
      await asking({ bucket: Bucket, key: Key }, async () => {
        try {
          await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        } catch (error) {
          if (!(error instanceof NoSuchUpload)) throw error;
        }
      });
    },
  };
}

/** Whether there is no such upload. Ceph answers 500 about one that it does not know; where the parts may not be listed, as with the rights that are given on AWS, that stays the answer. */
async function isOfUnknown(
  { client, name }: Bucket,
  { key, uploadId }: MultipartUpload,
  error: unknown,
): Promise<boolean> {
  if (error instanceof NoSuchUpload) return true;
  if (statusOf(error) !== 500) return false;
  const list = new ListPartsCommand({ Bucket: name, Key: key, UploadId: uploadId, MaxParts: 1 });
  return await client.send(list).then(
    () => false,
    (answer: unknown) => statusOf(answer) === 404,
  );
}

/** Whether the parts are not what the request says of them, or one is too short. */
function isOfParts(error: unknown): error is Error {
  return error instanceof Error && ["InvalidPart", "InvalidPartOrder", "EntityTooSmall"].includes(error.name);
}

function refused(cause: Error): ReelmillError {
  return new ReelmillError("UPLOAD_REFUSED", `The parts make no object: ${cause.message}`, { cause });
}

/** The answer to the request that completed it may have been lost, so that it was sent again. */
async function requireCompleted(bucket: Bucket, { key, bytes }: MultipartUpload, parts: number): Promise<void> {
  const found = await headObject(bucket, key).catch((error: unknown) => {
    if (error instanceof ReelmillError && error.code === "OBJECT_NOT_FOUND") return undefined;
    throw error;
  });
  // Of objects made of parts, S3's tag ends with their number.
  if (found?.bytes === bytes && found.tag.replaceAll('"', "").endsWith(`-${parts}`)) return;
  throw new ReelmillError("UPLOAD_NOT_FOUND", "There is no such upload in parts, or not any more.");
}

/** Throws BODY_TOO_LARGE. */
function partBytesOf(bytes: number, { partBytes = FIRST_PART_BYTES }: LentPartSizes): number {
  if (bytes <= MAX_OBJECT_BYTES) return Math.max(partBytes, Math.ceil(bytes / MAX_PARTS));
  throw new ReelmillError("BODY_TOO_LARGE", `The file has ${bytes} bytes; S3 takes ${MAX_OBJECT_BYTES} at most.`);
}
