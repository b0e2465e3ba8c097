import { CfnOutput, Duration, RemovalPolicy } from "aws-cdk-lib";
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership } from "aws-cdk-lib/aws-s3";
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

/** The buckets: raw recordings for the batch API, everything else, and who asked for what of both. */
export class Storage extends Construct {
  /** What the batch API takes when no input bucket is named: damaged recordings and their references. */
  readonly input: Bucket;
  /** Results, and uploads of jobs; what the batch API writes to when no output bucket is named. */
  readonly output: Bucket;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    const accessLogs = new Bucket(this, "AccessLogs", {
      ...GUARDED,
      lifecycleRules: [{ id: "log_retention_days", expiration: Duration.days(settings.log_retention_days) }],
    });
    const kept = { ...GUARDED, versioned: true, serverAccessLogsBucket: accessLogs };
    const rawAge = Duration.days(settings.raw_file_retention_days);
    const common = [
      {
        id: "unfinished_upload_days",
        abortIncompleteMultipartUploadAfter: Duration.days(settings.unfinished_upload_days),
      },
      // Else what was deleted, by a lifecycle or by a user, would be paid for ever.
      { id: "old-versions", noncurrentVersionExpiration: rawAge },
      { id: "markers-of-nothing", expiredObjectDeleteMarker: true },
    ];
    const raw = { id: "raw_file_retention_days", expiration: rawAge };
    this.input = new Bucket(this, "Input", {
      ...kept,
      serverAccessLogsPrefix: "input/",
      lifecycleRules: [raw, ...common],
    });
    this.output = new Bucket(this, "Output", {
      ...kept,
      serverAccessLogsPrefix: "output/",
      lifecycleRules: [{ ...raw, prefix: "uploads/" }, ...common],
    });
    for (const bucket of [this.input, this.output]) tellOfObjects(bucket);
    new CfnOutput(this, "InputBucketName", { value: this.input.bucketName });
    new CfnOutput(this, "OutputBucketName", { value: this.output.bucketName });
  }
}

/** By the bucket's own property: the library's would bring a function that is run at every deployment. */
function tellOfObjects(bucket: Bucket): void {
  // What a Bucket is made of.
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}
