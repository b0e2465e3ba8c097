import { Stack } from "aws-cdk-lib";
import type { LogGroup } from "aws-cdk-lib/aws-logs";
import { DefinitionBody, StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";
import { defineStateMachine } from "../../src/adapters/aws/state-machine.ts";
import { acknowledge } from "./acknowledge.ts";
import { type FunctionProps, ReelmillFunction } from "./functions.ts";
import { allow, allowWork } from "./permissions.ts";

/** A function runs no longer; what is left of a call goes into beginning it and putting a task back. */
const FUNCTION_SECONDS = 900;

/** The state machine that leads jobs of `clip` through their stages, and the function behind all its states. */
export class ClipWorkflow extends Construct {
  readonly stateMachine: StateMachine;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: FunctionProps) {
    super(scope, id);
    const { settings, state } = props;
    const shape = { command: "state", memoryMb: settings.clip_memory_mb, timeoutSeconds: FUNCTION_SECONDS };
    const { function: worker, logGroup } = new ReelmillFunction(this, "WorkAtState", { ...props, ...shape });
    this.logGroup = logGroup;
    allowWork(worker, state.storage.objects, "clip");
    const pipeline = {
      name: "clip",
      maxConcurrentTasks: settings.clip_max_concurrency,
      taskTimeoutMs: settings.clip_timeout_seconds * 1000,
    };
    const definition = defineStateMachine(pipeline, { functionArn: worker.functionArn });
    this.stateMachine = new StateMachine(this, "StateMachine", {
      // The ARN is not known before the deployment.
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(definition)),
      tracingEnabled: true,
    });
    acknowledge(
      this.stateMachine,
      "AwsSolutions-SF1",
      "Its role would have to be let change the policy of every log; the job's events and the function's log tell what happened.",
    );
    allow(this.stateMachine, ["lambda:InvokeFunction"], [worker.functionArn]);
  }
}
