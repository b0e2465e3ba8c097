import { Aws, CfnRule, Fn } from "aws-cdk-lib";
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";
import { xrayRegionOf } from "../../src/base/xray-endpoint.ts";
import { createLogGroup } from "./log-groups.ts";
import type { Settings } from "./settings.ts";

const HTTPS = Port.tcp(443);

/** What workers ask of AWS besides S3 and DynamoDB, whose gateways cost nothing. */
const ASKED = {
  EcrApi: InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Sqs: InterfaceVpcEndpointAwsService.SQS,
  Sns: InterfaceVpcEndpointAwsService.SNS,
  Ecs: InterfaceVpcEndpointAwsService.ECS,
  EcsAgent: InterfaceVpcEndpointAwsService.ECS_AGENT,
  EcsTelemetry: InterfaceVpcEndpointAwsService.ECS_TELEMETRY,
} as const;

/** Where workers are: nothing gets in, and out of it they speak TLS alone. */
export class Network extends Construct {
  readonly vpc: Vpc;
  readonly subnets: SubnetSelection;
  /** What all workers are in; lets nothing in. */
  readonly workers: SecurityGroup;
  /** Whether workers need an address of their own to get out. */
  readonly hasPublicAddresses: boolean;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    this.hasPublicAddresses = settings.workers_reach === "internet";
    const subnetType = this.hasPublicAddresses ? SubnetType.PUBLIC : SubnetType.PRIVATE_ISOLATED;
    this.subnets = { subnetType };
    this.vpc = new Vpc(this, "Vpc", {
      ipAddresses: IpAddresses.cidr("10.0.0.0/20"),
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: "Workers", subnetType, cidrMask: 22 }],
      gatewayEndpoints: {
        S3: { service: GatewayVpcEndpointAwsService.S3 },
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      },
      flowLogs: {
        All: {
          destination: FlowLogDestination.toCloudWatchLogs(createLogGroup(this, "FlowLogs", settings)),
          trafficType: FlowLogTrafficType.ALL,
        },
      },
    });
    this.workers = new SecurityGroup(this, "Workers", {
      vpc: this.vpc,
      description: "Workers of Reelmill: nothing in, TLS out.",
      allowAllOutbound: false,
    });
    this.workers.addEgressRule(Peer.anyIpv4(), HTTPS, "TLS");
    if (!this.hasPublicAddresses) this.#addEndpoints(settings);
  }

  /** Workers of both zones find an endpoint by its name, whichever zone it is in. */
  #addEndpoints({ endpoint_zones: zones, otlp_endpoint: collector = "" }: Settings): void {
    const subnets = this.vpc.selectSubnets(this.subnets).subnets.slice(0, zones);
    const endpoints = new SecurityGroup(this, "Endpoints", {
      vpc: this.vpc,
      description: "Endpoints of AWS services: TLS from workers.",
      allowAllOutbound: false,
    });
    endpoints.addIngressRule(this.workers, HTTPS, "TLS from workers");
    const xrayRegion = xrayRegionOf(collector);
    if (xrayRegion !== undefined) this.#requireRegion(xrayRegion);
    const asked = xrayRegion === undefined ? ASKED : { ...ASKED, Xray: InterfaceVpcEndpointAwsService.XRAY };
    for (const [name, service] of Object.entries(asked)) {
      this.vpc.addInterfaceEndpoint(name, { service, open: false, securityGroups: [endpoints], subnets: { subnets } });
    }
  }

  /** The endpoint answers for X-Ray of its own region, which is known only when the stack is deployed. */
  #requireRegion(region: string): void {
    const assertDescription = `otlp_endpoint is X-Ray of ${region}; workers without a way out reach that of the stack's own region alone.`;
    new CfnRule(this, "XrayRegion", {
      assertions: [{ assert: Fn.conditionEquals(Aws.REGION, region), assertDescription }],
    });
  }
}
