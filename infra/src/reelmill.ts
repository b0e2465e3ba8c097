import { App, type AppProps, Tags, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { InterfaceStack } from "./interface-stack.ts";
import { OperationsStack } from "./operations-stack.ts";
import { readSettings } from "./settings.ts";
import { StateStack } from "./state-stack.ts";
import { WorkStack } from "./work-stack.ts";

/** Behaviours of the library that are not its default for the sake of older stacks. */
const FLAGS = {
  "@aws-cdk/aws-ecs:disableEcsImdsBlocking": true,
  "@aws-cdk/aws-ecs:reduceEc2FargateCloudWatchPermissions": true,
  "@aws-cdk/aws-iam:minimizePolicies": true,
  "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": true,
  "@aws-cdk/core:defaultCrossStackReferences": "strong",
  "@aws-cdk/core:enablePartitionLiterals": true,
} as const;

/** All stacks, and the rules that they must keep. Throws where a setting is unknown or out of its range. */
export function createReelmill({ context = {}, ...props }: AppProps = {}) {
  const app = new App({ ...props, context, postCliContext: FLAGS });
  const settings = readSettings(app.node);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  Tags.of(app).add("reelmill", "reelmill");
  const state = new StateStack(app, "ReelmillState", { settings });
  const work = new WorkStack(app, "ReelmillWork", { settings, state });
  const interfaces = new InterfaceStack(app, "ReelmillInterface", { settings, state, work });
  const operations = new OperationsStack(app, "ReelmillOperations", { settings, state, work, interfaces });
  return { app, settings, state, work, interfaces, operations };
}
