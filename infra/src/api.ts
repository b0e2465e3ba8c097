import { CfnOutput, CfnParameter, Stack } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import { HttpApi, HttpStage, LogGroupLogDestination } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { DockerImageFunction } from "aws-cdk-lib/aws-lambda";
import type { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { API_KEY_PARAMETER, OUTPUTS } from "../../src/adapters/aws/stack-names.ts";
import { acknowledge } from "./acknowledge.ts";
import { type FunctionProps, ReelmillFunction } from "./functions.ts";
import { createLogGroup } from "./log-groups.ts";
import {
  allow,
  allowCounting,
  allowCountingContainers,
  allowReading,
  allowRemoving,
  allowStarting,
  allowWriting,
} from "./permissions.ts";
import type { WorkStack } from "./work-stack.ts";

/** The HTTP API: everything goes to one function, which is the same app that a server of one's own runs. */
export class Api extends Construct {
  readonly api: HttpApi;
  readonly function: DockerImageFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: FunctionProps) {
    super(scope, id);
    const { settings } = props;
    const serve = new ReelmillFunction(this, "Serve", {
      ...props,
      command: "api",
      memoryMb: settings.api_memory_mb,
      timeoutSeconds: settings.api_timeout_seconds,
      environment: { REELMILL_API_KEY_SHA256: this.#apiKeyHash(), ECS_SERVICES: namesOf(props.work) },
      tellsWebhooks: true,
    });
    this.function = serve.function;
    this.logGroup = serve.logGroup;
    this.#allow(props);
    this.api = new HttpApi(this, "Http", {
      createDefaultStage: false,
      defaultIntegration: new HttpLambdaIntegration("Serve", this.function),
    });
    acknowledge(
      this.api,
      "AwsSolutions-APIG4",
      "The app asks for the API key itself, on all but /health, and compares its hash in constant time.",
    );
    new HttpStage(this, "Stage", {
      httpApi: this.api,
      stageName: "$default",
      autoDeploy: true,
      throttle: { rateLimit: settings.api_requests_per_second, burstLimit: settings.api_burst_requests },
      // Names no header: the key is in one.
      accessLogSettings: {
        destination: new LogGroupLogDestination(createLogGroup(this, "AccessLogs", settings)),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    });
    new CfnOutput(Stack.of(this), OUTPUTS.apiUrl, { value: this.api.apiEndpoint });
  }

  /** Lets the API show what the groups hold of a job. */
  readLogs(groups: readonly LogGroup[]): void {
    const names = groups.map(({ logGroupName }) => logGroupName).join(",");
    this.function.addEnvironment("CLOUDWATCH_LOG_GROUPS", names);
    allow(
      this.function,
      ["logs:FilterLogEvents"],
      groups.map(({ logGroupArn }) => logGroupArn),
    );
    // For a server of one's own beside the functions.
    new CfnOutput(this, "LogGroups", { value: names });
  }

  #apiKeyHash(): string {
    const parameter = new CfnParameter(Stack.of(this), API_KEY_PARAMETER, {
      description:
        "SHA-256 of the API key in 64 hexadecimal digits; several, separated by commas, while keys are changed.",
      allowedPattern: "^[0-9a-f]{64}(,[0-9a-f]{64})*$",
      noEcho: true,
    });
    return parameter.valueAsString;
  }

  #allow({ state, work }: FunctionProps): void {
    const { objects } = state.storage;
    allowReading(this.function, objects);
    // Links for uploads are signed in its name.
    allowWriting(this.function, objects, ["uploads/*", "references/*", "batches/*"]);
    allowRemoving(this.function, objects, ["uploads/*", "references/*", "outputs/*"]);
    allowCounting(this.function, state);
    allowCountingContainers(this.function, work.services);
    // Those of batches, whose submission tells the container; of all others the functions.
    const { jobQueue, jobDefinitions, repairDisks } = work.batch;
    allowStarting(this.function, jobQueue, [jobDefinitions.repair, ...repairDisks.values()]);
  }
}

function namesOf({ cluster, services }: WorkStack): string {
  return services.map(({ serviceName }) => `${cluster.clusterName}/${serviceName}`).join(",");
}

const ACCESS_LOG = {
  timestamp: "$context.requestTime",
  requestId: "$context.requestId",
  ip: "$context.identity.sourceIp",
  method: "$context.httpMethod",
  path: "$context.path",
  status: "$context.status",
  bytes: "$context.responseLength",
  latencyMs: "$context.responseLatency",
} as const;
