import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { describe, expect, inject, it } from "vitest";
import { OUTPUTS } from "../../src/adapters/aws/stack-names.ts";
import { shippedPrices } from "../../src/cost/price-table.ts";
import { Network } from "../src/network.ts";
import { NUMBERS } from "../src/numbers.ts";
import { createReelmill } from "../src/reelmill.ts";
import { defaultSettings, type Settings } from "../src/settings.ts";
import {
  type Json,
  OTHER_SETTINGS,
  propertiesOf,
  type Resource,
  readTemplate,
  resourcesOf,
  STACKS,
  type TemplateJson,
} from "./templates.fixture.ts";

const DENY_PLAIN = { Effect: "Deny", Principal: { AWS: "*" }, Condition: { Bool: { "aws:SecureTransport": "false" } } };

const { object_made_job: UPLOAD_JOB, webhook_secrets_arn: SECRET_ARN } = OTHER_SETTINGS;
const otherwise: readonly TemplateJson[] = STACKS.map((stack) => readTemplate(stack, "otherwise"));

function resourcesIn({ Resources }: TemplateJson, type: string): readonly Resource[] {
  return Object.values(Resources).filter(({ Type }) => Type === type);
}

describe("what holds something", () => {
  it("is kept where its stack is deleted", () => {
    const types = [
      "AWS::S3::Bucket",
      "AWS::DynamoDB::Table",
      "AWS::SQS::Queue",
      "AWS::KMS::Key",
      "AWS::ECR::Repository",
    ];
    for (const [id, { Type, DeletionPolicy }] of Object.entries(readTemplate("State").Resources)) {
      if (types.includes(Type)) expect(DeletionPolicy, id).toBe("Retain");
    }
    for (const stack of ["Work", "Operations"] as const) {
      expect(types.flatMap((type) => resourcesOf(stack, type))).toEqual([]);
    }
    const outdir = join(inject("assembly"), "plain");
    expect(createReelmill({ outdir }).state.terminationProtection).toBe(true);
  });

  it("are buckets that are private, encrypted, and spoken to by TLS 1.2 alone", () => {
    const buckets = resourcesOf("State", "AWS::S3::Bucket");
    expect(buckets).toHaveLength(2);
    const open = buckets.flatMap(([, { Properties }]) => Properties?.["CorsConfiguration"] ?? []);
    expect(open).toMatchObject([{ CorsRules: [{ AllowedMethods: ["GET", "HEAD", "PUT"], AllowedOrigins: ["*"] }] }]);
    for (const [id, { Properties }] of buckets) {
      expect(Properties, id).toMatchObject({
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
        },
      });
      const policy = policyOf("AWS::S3::BucketPolicy", "Bucket", id);
      expect(policy, id).toContainEqual(expect.objectContaining({ ...DENY_PLAIN, Action: "s3:*" }));
      expect(policy, id).toContainEqual(
        expect.objectContaining({ Effect: "Deny", Condition: { NumericLessThan: { "s3:TlsVersion": 1.2 } } }),
      );
    }
  });

  it("are queues and topics that are encrypted and spoken to by TLS alone", () => {
    const queues = resourcesOf("State", "AWS::SQS::Queue");
    expect(queues).toHaveLength(8);
    for (const [id, { Properties }] of queues) {
      expect(Properties, id).toMatchObject({ SqsManagedSseEnabled: true });
      const policy = policyOf("AWS::SQS::QueuePolicy", "Queues", id);
      expect(policy, id).toContainEqual(expect.objectContaining({ ...DENY_PLAIN, Action: "sqs:*" }));
    }
    for (const [id, { Properties }] of resourcesOf("State", "AWS::SNS::Topic")) {
      expect(JSON.stringify(Properties?.["KmsMasterKeyId"]), id).toContain("TopicsKey");
      const policy = policyOf("AWS::SNS::TopicPolicy", "Topics", id);
      expect(policy, id).toContainEqual(expect.objectContaining({ Effect: "Deny", Condition: DENY_PLAIN.Condition }));
    }
    expect(propertiesOf("State", "AWS::KMS::Key")).toMatchObject({ EnableKeyRotation: true });
  });

  it("are alarms that only CloudWatch and the budget of this account may raise from outside", () => {
    const [id = ""] = resourcesOf("State", "AWS::SNS::Topic")
      .map(([each]) => each)
      .filter((each) => each.startsWith("TopicsAlarms"));
    const allowed = policyOf("AWS::SNS::TopicPolicy", "Topics", id).filter((each) =>
      JSON.stringify(each).includes('"Allow"'),
    );
    const Condition = { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } };
    const Service = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"];
    expect(allowed).toMatchObject([{ Action: "sns:Publish", Principal: { Service }, Condition }]);
  });

  it("is a table that can be brought back, not be deleted by mistake, and tells of changes", () => {
    expect(propertiesOf("State", "AWS::DynamoDB::Table")).toMatchObject({
      BillingMode: "PAY_PER_REQUEST",
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
      StreamSpecification: { StreamViewType: "NEW_AND_OLD_IMAGES" },
      TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
    });
  });

  it("are images whose tags are never given twice, looked through when they are pushed", () => {
    expect(propertiesOf("State", "AWS::ECR::Repository")).toMatchObject({
      ImageTagMutability: "IMMUTABLE",
      ImageScanningConfiguration: { ScanOnPush: true },
    });
  });
});

describe("the network", () => {
  it("has no way in or out but endpoints of AWS", () => {
    for (const type of ["AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"]) {
      expect(resourcesOf("Work", type)).toEqual([]);
    }
    const names = resourcesOf("Work", "AWS::EC2::VPCEndpoint").map(([, { Properties }]) =>
      JSON.stringify(Properties?.["ServiceName"]),
    );
    const asked = ["s3", "dynamodb", "ecr.api", "ecr.dkr", "logs", "sqs", "sns", "ecs", "ecs-agent", "ecs-telemetry"];
    expect(names).toHaveLength(asked.length);
    for (const name of asked)
      expect(
        names.some((each) => new RegExp(`\\.${name}"`).test(each)),
        name,
      ).toBe(true);
    expect(propertiesOf("Work", "AWS::EC2::FlowLog")).toMatchObject({ TrafficType: "ALL" });
  });

  it("costs by the hour what the guide says, and less than the budget tells of", () => {
    const { prices } = shippedPrices();
    const hours = 730;
    const usdIn = (template: TemplateJson): number => {
      const subnets = resourcesIn(template, "AWS::EC2::VPCEndpoint").flatMap(
        ({ Properties }) => Properties?.["SubnetIds"] ?? [],
      );
      return subnets.length * hours * (prices["vpc.endpointHour"]?.usd ?? Number.NaN);
    };
    const usd = usdIn(readTemplate("Work"));
    const [, work] = otherwise;
    expect(work && usdIn(work)).toBe(0);
    expect(usd).toBeLessThan(0.8 * NUMBERS.monthly_budget_usd.value);
    const guide = readFileSync(new URL("../../docs/guide/aws.md", import.meta.url), "utf8");
    expect(guide).toContain(`| 1, the default | $${usd.toFixed(2)} |`);
    expect(guide).toContain(`| 2 | $${(2 * usd).toFixed(2)} |`);
  });

  const networkOf = (settings: Settings): Template => {
    const app = new App({ outdir: join(inject("assembly"), "network") });
    const stack = new Stack(app, "Alone");
    new Network(stack, "Network", settings);
    return Template.fromStack(stack);
  };

  it("has its endpoints in as many zones as are asked for", () => {
    const zonesIn = (settings: Settings): readonly number[] => {
      const endpoints = Object.values(networkOf(settings).findResources("AWS::EC2::VPCEndpoint"));
      // As CloudFormation has it.
      return endpoints.flatMap(
        ({ Properties }) => (Properties as { readonly SubnetIds?: readonly Json[] }).SubnetIds?.length ?? [],
      );
    };
    expect(zonesIn(defaultSettings())).toEqual(Array(8).fill(1));
    expect(zonesIn({ ...defaultSettings(), endpoint_zones: 2 })).toEqual(Array(8).fill(2));
  });

  it("has an endpoint of X-Ray where traces go there, and none where they go elsewhere or workers have a way out", () => {
    const tracedTo = (otlp_endpoint: string, settings: Partial<Settings> = {}) =>
      networkOf({ ...defaultSettings(), otlp_endpoint, ...settings });
    const endpointsOf = (template: Template) =>
      Object.values(template.findResources("AWS::EC2::VPCEndpoint")).map((each) => JSON.stringify(each));
    const own = tracedTo("https://xray.eu-central-1.amazonaws.com");
    const [endpoint = "", ...others] = endpointsOf(own).filter((text) => text.includes(".xray"));
    expect(others).toEqual([]);
    expect(endpoint).toContain('"VpcEndpointType":"Interface"');
    expect(endpoint).toContain('"PrivateDnsEnabled":true');
    expect(endpoint).toContain("NetworkEndpoints");
    // Where it is deployed has to be where that X-Ray is.
    const rule = '"Assert":{"Fn::Equals":[{"Ref":"AWS::Region"},"eu-central-1"]}';
    expect(JSON.stringify(own.toJSON()["Rules"])).toContain(rule);
    for (const template of [
      tracedTo("https://collector.example.com"),
      tracedTo("https://xray.eu-central-1.amazonaws.com", { workers_reach: "internet" }),
    ]) {
      expect(endpointsOf(template).filter((text) => text.includes("xray"))).toEqual([]);
      expect(JSON.stringify(template.toJSON()["Rules"])).not.toContain("AWS::Region");
    }
  });

  it("lets nothing in to workers, and TLS alone out", () => {
    expect(propertiesOf("Work", "AWS::EC2::SecurityGroup", "NetworkWorkers")).toMatchObject({
      SecurityGroupEgress: [{ CidrIp: "0.0.0.0/0", IpProtocol: "tcp", FromPort: 443, ToPort: 443 }],
    });
    expect(propertiesOf("Work", "AWS::EC2::SecurityGroup", "NetworkWorkers")).not.toHaveProperty(
      "SecurityGroupIngress",
    );
    const [[, ingress] = [], ...others] = resourcesOf("Work", "AWS::EC2::SecurityGroupIngress");
    expect(others).toEqual([]);
    expect(ingress?.Properties).toMatchObject({ FromPort: 443, ToPort: 443, IpProtocol: "tcp" });
    expect(JSON.stringify(ingress?.Properties?.["GroupId"])).toContain("NetworkEndpoints");
    expect(JSON.stringify(ingress?.Properties?.["SourceSecurityGroupId"])).toContain("NetworkWorkers");
  });

  it("costs nothing at rest where workers have addresses of their own instead", () => {
    const of = (type: string) => otherwise.flatMap((template) => resourcesIn(template, type));
    expect(of("AWS::EC2::VPCEndpoint").map(({ Properties }) => Properties?.["VpcEndpointType"])).toEqual([
      "Gateway",
      "Gateway",
    ]);
    expect(of("AWS::EC2::NatGateway")).toEqual([]);
    for (const { Properties } of of("AWS::ECS::Service").filter(
      (each) => "NetworkConfiguration" in (each.Properties ?? {}),
    )) {
      expect(Properties).toMatchObject({
        NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: "ENABLED" } },
      });
    }
    expect(of("AWS::EC2::SecurityGroup")).toHaveLength(1);
    expect(of("AWS::EC2::SecurityGroupIngress")).toEqual([]);
  });
});

describe("what functions are told", () => {
  const variablesOf = (id: string): { readonly [name: string]: Json } => {
    const found = otherwise.flatMap(({ Resources }) =>
      Object.entries(Resources).filter(([each]) => each.startsWith(id)),
    );
    const [, { Properties }] = found.find(([, { Type }]) => Type === "AWS::Lambda::Function") ?? ["", { Type: "" }];
    return (Properties?.["Environment"] as { readonly Variables?: { readonly [name: string]: Json } })?.Variables ?? {};
  };
  const ids = ["ApiServe", "EventsObjectMade", "EventsItemChanged", "EventsSweeper"];
  const tellers = ["ApiServe", "EventsItemChanged", "EventsSweeper"];

  it("is how long jobs are kept, and what to do about uploads", () => {
    expect(ids.map((id) => variablesOf(id)["REELMILL_RETENTION_DAYS"])).toEqual(["7", "7", "7", "7"]);
    expect(ids.map((id) => variablesOf(id)["OBJECT_MADE_JOB"])).toEqual([undefined, UPLOAD_JOB, undefined, undefined]);
    const { Environment } = propertiesOf("Interface", "AWS::Lambda::Function", "EventsObjectMade");
    expect(Environment).toMatchObject({ Variables: { REELMILL_RETENTION_DAYS: "30" } });
    expect(JSON.stringify(Environment)).not.toContain("OBJECT_MADE_JOB");
  });

  it("names the secret of webhooks to those alone that take or tell them, and lets them read it and no other", () => {
    const named = ids.filter((id) => variablesOf(id)["WEBHOOK_SECRETS_ARN"] === SECRET_ARN);
    expect(named).toEqual(tellers);
    const policies = otherwise
      .flatMap(({ Resources }) => Object.entries(Resources))
      .filter(([, { Type }]) => Type === "AWS::IAM::Policy");
    const readers = policies.filter(([, { Properties }]) => JSON.stringify(Properties).includes("secretsmanager:"));
    expect(readers.map(([id]) => id.replace(/RoleDefaultPolicy.*/, ""))).toEqual(tellers);
    for (const [id, { Properties = {} }] of readers) {
      const { Statement } = Properties["PolicyDocument"] as { readonly Statement: readonly Json[] };
      const about = Statement.filter((each) => JSON.stringify(each).includes("secretsmanager"));
      expect(about, id).toEqual([{ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: SECRET_ARN }]);
    }
    // Whatever runs ffmpeg on files of strangers has no way to it.
    const [, work] = otherwise;
    expect(JSON.stringify(work)).not.toMatch(/secretsmanager|WEBHOOK/i);
    expect(STACKS.map((stack) => JSON.stringify(readTemplate(stack))).join("")).not.toMatch(/secretsmanager/i);
  });
});

describe("pipelines", () => {
  it("that Reelmill has not yet get neither queues nor services nor state machines", () => {
    expect(otherwise.map((template) => resourcesIn(template, "AWS::SQS::Queue").length)).toEqual([2, 0, 1, 0]);
    expect(otherwise.flatMap((template) => resourcesIn(template, "AWS::ECS::Service"))).toHaveLength(1);
    expect(otherwise.flatMap((template) => resourcesIn(template, "AWS::StepFunctions::StateMachine"))).toEqual([]);
    expect(JSON.stringify(otherwise)).not.toMatch(/stereo|clip|chunking|inference|reassembly/i);
  });

  it.each([
    ["Hls", "hls"],
    ["StereoMedia", "stereo"],
    ["StereoVideo", "stereo"],
  ])("%s takes the tasks of %s, as the engine names its queue", (id, pipeline) => {
    const { ContainerDefinitions } = propertiesOf("Work", "AWS::ECS::TaskDefinition", id);
    expect(ContainerDefinitions).toMatchObject([
      { Environment: expect.arrayContaining([{ Name: "TASK_QUEUES", Value: pipeline }]) },
    ]);
  });
});

it("the stack that is kept tells what is not the default, for the next deployment", () => {
  const settingsOf = ({ Outputs }: TemplateJson): unknown => JSON.parse(String(Outputs?.[OUTPUTS.settings]?.Value));
  const [state] = otherwise;
  expect(state && settingsOf(state)).toEqual(OTHER_SETTINGS);
  expect(settingsOf(readTemplate("State"))).toEqual({});
});

describe("the templates", () => {
  it("run no code of the library's and carry no files", () => {
    for (const stack of STACKS) {
      const types = new Set(Object.values(readTemplate(stack).Resources).map(({ Type }) => Type));
      expect(
        [...types].filter((type) => type.startsWith("Custom::") || type === "AWS::CloudFormation::CustomResource"),
      ).toEqual([]);
    }
    for (const [id, { Properties }] of resourcesOf("Interface", "AWS::Lambda::Function")) {
      expect(Properties, id).toMatchObject({ PackageType: "Image", TracingConfig: { Mode: "Active" } });
    }
  });

  it("never have the key's hash in them", () => {
    expect(propertiesOf("Interface", "AWS::Lambda::Function", "ApiServe")).toMatchObject({
      Environment: { Variables: { REELMILL_API_KEY_SHA256: { Ref: "ApiKeyHash" } } },
    });
    expect(readTemplate("Interface")).toMatchObject({ Parameters: { ApiKeyHash: { NoEcho: true, Type: "String" } } });
    expect(readTemplate("Interface")).not.toHaveProperty("Parameters.ApiKeyHash.Default");
  });

  it("are not made where a rule of cdk-nag is broken", () => {
    const { app, state } = createReelmill({
      outdir: join(inject("assembly"), "careless"),
      builtinCloudFormationValidation: false,
    });
    new Bucket(state, "Careless");
    expect(() => app.synth()).toThrow(/AwsSolutions-S10/);
  });
});

/** What the policy of the bucket, queue or topic says. */
function policyOf(type: string, property: string, id: string): readonly Json[] {
  return resourcesOf("State", type)
    .map(([, { Properties = {} }]) => Properties)
    .filter((properties) => JSON.stringify(properties[property]).includes(`"${id}"`))
    .flatMap(({ PolicyDocument }) => (PolicyDocument as { readonly Statement: readonly Json[] }).Statement);
}
