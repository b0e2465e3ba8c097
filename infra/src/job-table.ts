import { CfnOutput, RemovalPolicy } from "aws-cdk-lib";
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from "aws-cdk-lib/aws-dynamodb";
import { Construct } from "constructs";

/** The one table of jobs, tasks, events, queues and batch records; a test holds it against the adapter's own definition. */
export class JobTable extends Construct {
  /** The table. */
  readonly table: Table;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new Table(this, "Table", {
      partitionKey: text("pk"),
      sortKey: text("sk"),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      // In whole seconds since 1970; the contract's name of it.
      timeToLiveAttribute: "ttl",
    });
    this.table.addGlobalSecondaryIndex({
      indexName: "GSI1",
      partitionKey: text("GSI1PK"),
      sortKey: text("GSI1SK"),
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ["pipeline", "status", "parentJobId", "finishedAtMs"],
    });
    this.table.addGlobalSecondaryIndex({
      indexName: "GSI2",
      partitionKey: text("GSI2PK"),
      sortKey: text("GSI2SK"),
      projectionType: ProjectionType.KEYS_ONLY,
    });
    new CfnOutput(this, "TableName", { value: this.table.tableName });
  }
}

function text(name: string) {
  return { name, type: AttributeType.STRING };
}
