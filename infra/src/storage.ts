import { CfnOutput, Duration, RemovalPolicy } from "aws-cdk-lib";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  HttpMethods,
  ObjectOwnership,
} from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { Settings } from "./settings.ts";

/** What no bucket goes without. */
const GUARDED = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  encryption: BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
} as const;

/** The bucket of all objects, and who asked for what of it. */
export class Storage extends Construct {
  /** Uploads, results, and what jobs keep meanwhile; the batch API's input and output buckets are folders of it. */
  readonly objects: Bucket;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    const accessLogs = new Bucket(this, "AccessLogs", {
      ...GUARDED,
      lifecycleRules: [{ id: "log_retention_days", expiration: Duration.days(settings.log_retention_days) }],
    });
    const rawAge = Duration.days(settings.raw_file_retention_days);
    this.objects = new Bucket(this, "Objects", {
      ...GUARDED,
      versioned: true,
      serverAccessLogsBucket: accessLogs,
      // The dashboard's pages read and write by links. Whoever has one needs no page for it, so it may be any page's.
      cors: [
        {
          allowedOrigins: ["*"],
          allowedMethods: [HttpMethods.GET, HttpMethods.HEAD, HttpMethods.PUT],
          allowedHeaders: ["*"],
          exposedHeaders: ["Accept-Ranges", "Content-Length", "Content-Range", "ETag"],
          maxAge: 3600,
        },
      ],
      lifecycleRules: [
        { id: "raw_file_retention_days", expiration: rawAge, prefix: "uploads/" },
        {
          id: "unfinished_upload_days",
          abortIncompleteMultipartUploadAfter: Duration.days(settings.unfinished_upload_days),
        },
        // Else what was deleted, by a lifecycle or by a user, would be paid for ever.
        { id: "old-versions", noncurrentVersionExpiration: rawAge },
        { id: "markers-of-nothing", expiredObjectDeleteMarker: true },
      ],
    });
    tellOfObjects(this.objects);
    new CfnOutput(this, "ObjectBucketName", { value: this.objects.bucketName });
  }
}

/** By the bucket's own property: the library's would bring a function that is run at every deployment. */
function tellOfObjects(bucket: Bucket): void {
  // What a Bucket is made of.
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}
