import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { isObjectKey, requireKeyPrefix } from "../../jobs/object-key.ts";
import type { ObjectInfo } from "../../jobs/object-store.ts";
import { type Bucket, toModifiedAtMs } from "./bucket.ts";
import { asking } from "./connection.ts";

/** S3 gives no more at a time. */
const PAGE = 1000;

/** What to list. */
interface Listing {
  readonly prefix: string;
  readonly limit: number;
  /** Empty for all. */
  readonly afterKey: string;
}

/** Up to `limit` objects by key; those that others put there under names that are no keys are left out. Throws OBJECT_KEY_INVALID. */
export async function listObjects(
  bucket: Bucket,
  { prefix, limit, afterKey }: Listing,
): Promise<readonly ObjectInfo[]> {
  requireKeyPrefix(prefix);
  const found: ObjectInfo[] = [];
  let token: string | undefined;
  while (found.length < limit) {
    const request = new ListObjectsV2Command({
      Bucket: bucket.name,
      Prefix: prefix,
      MaxKeys: Math.min(PAGE, limit - found.length),
      // XML cannot say every character; a store that does not know this leaves them as they are, and says so.
      EncodingType: "url",
      ...(token === undefined ? (afterKey === "" ? {} : { StartAfter: afterKey }) : { ContinuationToken: token }),
    });
    const page = await asking({ bucket: bucket.name, key: prefix }, () => bucket.client.send(request));
    found.push(...infosOf(page));
    if (page.IsTruncated !== true || page.NextContinuationToken === undefined) break;
    token = page.NextContinuationToken;
  }
  return found;
}

function infosOf({ Contents = [], EncodingType }: ListObjectsV2CommandOutput): readonly ObjectInfo[] {
  return Contents.map(({ Key = "", Size = 0, LastModified, ETag = "" }) => ({
    key: EncodingType === "url" ? decodeKey(Key) : Key,
    bytes: Size,
    modifiedAtMs: toModifiedAtMs(LastModified),
    tag: ETag,
  })).filter(({ key }) => isObjectKey(key));
}

/** A key as S3 writes it in lists and in its events: `+` for a blank, and percent-encoded. To be decoded here and nowhere else. */
function decodeKey(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
