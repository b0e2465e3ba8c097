import { App, type AppProps, Tags, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { STACK_NAMES } from "../../src/adapters/aws/stack-names.ts";
import { InterfaceStack } from "./interface-stack.ts";
import { OperationsStack } from "./operations-stack.ts";
import { OWN_PIPELINES, type OwnPipeline } from "./pipelines.ts";
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
  // What the services would refuse is a failure here, not a warning.
  "@aws-cdk/core:validateAgainstDefaultRules": true,
} as const;

/** As the library's, and what else may be wished. */
interface ReelmillProps extends AppProps {
  readonly pipelines?: readonly OwnPipeline[];
}

/** All stacks, and the rules that they must keep. Throws where a setting is unknown or out of its range. */
export function createReelmill({ context = {}, pipelines = OWN_PIPELINES, ...props }: ReelmillProps = {}) {
  const app = new App({ ...props, context, postCliContext: FLAGS });
  const settings = readSettings(app.node);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  Tags.of(app).add("reelmill", "reelmill");
  const state = new StateStack(app, STACK_NAMES.state, { settings, pipelines });
  const work = new WorkStack(app, STACK_NAMES.work, { settings, state });
  const interfaces = new InterfaceStack(app, STACK_NAMES.interface, { settings, state, work, pipelines });
  const operations = new OperationsStack(app, STACK_NAMES.operations, { settings, state, work, interfaces });
  return { app, settings, state, work, interfaces, operations };
}
