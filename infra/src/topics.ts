import { Aws, CfnOutput, RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import type { Settings } from "./settings.ts";

/** Who tells of alarms besides the stack's own roles. */
const TELLERS = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] as const;

/**
 * Where news go: the ends of jobs for whoever subscribes, alarms for those who run it. The key is there because alarms cannot be told to a
 * topic under AWS's own key.
 */
export class Topics extends Construct {
  /** Takes the contract's completion payload. */
  readonly completions: Topic;
  /** Takes alarms, and news of the budget. */
  readonly alarms: Topic;
  /** Encrypts what waits in both topics. */
  readonly key: Key;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    this.key = new Key(this, "Key", {
      description: "Encrypts Reelmill's topics.",
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const topic = { enforceSSL: true, masterKey: this.key };
    this.completions = new Topic(this, "Completions", topic);
    this.alarms = new Topic(this, "Alarms", topic);
    const conditions = { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } };
    for (const teller of TELLERS) {
      const principals = [new ServicePrincipal(teller)];
      const actions = ["kms:Decrypt", "kms:GenerateDataKey*"];
      this.key.addToResourcePolicy(new PolicyStatement({ principals, actions, resources: ["*"], conditions }));
      const publish = { principals, actions: ["sns:Publish"], resources: [this.alarms.topicArn], conditions };
      this.alarms.addToResourcePolicy(new PolicyStatement(publish));
    }
    if (settings.alert_email !== undefined) this.alarms.addSubscription(new EmailSubscription(settings.alert_email));
    new CfnOutput(this, "CompletionsTopicArn", { value: this.completions.topicArn });
    new CfnOutput(this, "AlarmsTopicArn", { value: this.alarms.topicArn });
  }
}
