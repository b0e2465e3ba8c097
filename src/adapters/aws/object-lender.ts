import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { ReelmillError } from "../../base/errors.ts";
import { requireObjectKey } from "../../jobs/object-key.ts";
import type { Loan, ObjectLender } from "../../jobs/object-lender.ts";
import { createS3Client } from "./bucket.ts";
import { type AwsPlace, asking } from "./connection.ts";
import { createMultipartLender, type LentPartSizes, MAX_OBJECT_BYTES } from "./multipart-lender.ts";

/** The most that S3 takes in one request. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** A lender of a bucket's objects; `close` lets go of what its credentials came by. */
export interface S3ObjectLender extends ObjectLender {
  close(): void;
}

/**
 * Lends objects of a bucket by presigned URLs, which S3 itself answers. The length of what is written is signed with them. They end with
 * the credentials that signed them, where those are for a time shorter than the loan's.
 */
export function createS3ObjectLender(place: AwsPlace, bucketName: string, sizes: LentPartSizes = {}): S3ObjectLender {
  // With checksums, that of no bytes at all would be signed, because the body is not known here.
  const client = createS3Client(place, false);
  return {
    maxBytes: MAX_OBJECT_BYTES,
    lend: async (loan) => {
      requireObjectKey(loan.key);
      const url = await asking({ bucket: bucketName, key: loan.key }, () =>
        getSignedUrl(client, commandOf(bucketName, loan), { expiresIn: Math.floor(loan.forMs / 1000) }),
      );
      return { url, headers: {} };
    },
    multipart: createMultipartLender({ client, name: bucketName }, sizes),
    close: () => client.destroy(),
  };
}

function commandOf(bucketName: string, loan: Loan): GetObjectCommand | PutObjectCommand {
  const place = { Bucket: bucketName, Key: loan.key };
  if (loan.method === "GET") {
    const { mediaType, disposition } = loan.shownAs ?? {};
    return new GetObjectCommand({
      ...place,
      ResponseContentType: mediaType,
      ResponseContentDisposition: disposition,
    });
  }
  if (loan.bytes > MAX_PUT_BYTES) {
    const message = `The file has ${loan.bytes} bytes; more than ${MAX_PUT_BYTES} cannot be uploaded to S3 in one request.`;
    throw new ReelmillError("BODY_TOO_LARGE", message, {
      advice: "Ask for it in parts: multipart of POST /upload-url.",
    });
  }
  return new PutObjectCommand({ ...place, ContentLength: loan.bytes });
}
