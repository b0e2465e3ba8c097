import { HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { ObjectInfo } from "../../jobs/object-store.ts";
import { type AwsPlace, asking, clientSettings } from "./connection.ts";

/** One bucket, and the client that reaches it. */
export interface Bucket {
  readonly client: S3Client;
  readonly name: string;
}

/**
 * A client for any store that speaks S3. The bucket goes into the path where the endpoint is one's own, which then needs no names of
 * its own for buckets; and it is sent no checksums that it did not ask for, because several do not know them. `sendsChecksums`: whether
 * requests bring them unasked.
 */
export function createS3Client(place: AwsPlace, sendsChecksums = place.endpoint === undefined): S3Client {
  const unasked = sendsChecksums ? "WHEN_SUPPORTED" : "WHEN_REQUIRED";
  return new S3Client({
    ...clientSettings(place),
    forcePathStyle: place.endpoint !== undefined,
    requestChecksumCalculation: unasked,
    responseChecksumValidation: unasked,
  });
}

/** What the bucket has under the key; the tag is empty where the store gives none. Throws OBJECT_NOT_FOUND. */
export async function headObject({ client, name }: Bucket, key: string): Promise<ObjectInfo> {
  const head = await asking({ bucket: name, key }, () =>
    client.send(new HeadObjectCommand({ Bucket: name, Key: key })),
  );
  const bytes = head.ContentLength ?? 0;
  return { key, bytes, modifiedAtMs: toModifiedAtMs(head.LastModified), tag: head.ETag ?? "" };
}

/** In whole seconds, which is what S3 tells in headers; some stores tell more in lists. */
export function toModifiedAtMs(date: Date | undefined): number {
  return Math.floor((date?.getTime() ?? 0) / 1000) * 1000;
}
