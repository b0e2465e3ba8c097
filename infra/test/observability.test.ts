import { join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { createEmbeddedMetrics } from "../../src/adapters/telemetry/embedded-metrics.ts";
import { METRICS, type MetricName } from "../../src/jobs/metrics.ts";
import { createReelmill } from "../src/reelmill.ts";
import { type Json, propertiesOf, type Resource, resourcesOf, type TemplateJson } from "./templates.fixture.ts";

const NAMES = Object.keys(METRICS) as MetricName[];

/** What a line of Reelmill's makes CloudWatch keep: namespace, dimensions, names. */
function writtenBy(write: (metrics: ReturnType<typeof createEmbeddedMetrics>) => void) {
  const lines: string[] = [];
  write(createEmbeddedMetrics((line) => lines.push(line), { nowMs: () => 0, monotonicMs: () => 0 }));
  const line = JSON.parse(lines[0] ?? "");
  const [directive] = line._aws.CloudWatchMetrics;
  return {
    namespace: directive.Namespace,
    dimensions: directive.Dimensions[0].map((Name: string) => ({ Name, Value: line[Name] })),
    names: directive.Metrics.map(({ Name }: { Name: string }) => Name),
  };
}

/** The dashboard's text, what the deployment fills in left out. */
function dashboard(): string {
  const body = propertiesOf("Operations", "AWS::CloudWatch::Dashboard")["DashboardBody"];
  // The CDK joins texts and references.
  const { "Fn::Join": joined } = body as { readonly "Fn::Join": readonly [string, readonly Json[]] };
  return joined[1].map((part) => (typeof part === "string" ? part : "?")).join("");
}

describe("metrics of work", () => {
  const ofPipeline = writtenBy((metrics) => metrics.measure("repair", { JobsFailed: 1 }));
  const ofAll = writtenBy((metrics) => metrics.observe({ DeadLetters: 1 }));

  it("are on the dashboard, all that are written and no others", () => {
    const text = dashboard();
    const names = ofPipeline.dimensions.map(({ Name }: { Name: string }) => Name).join(",");
    const search = /SEARCH\('\{([\w,]+)\} Service=\\*"(\w+)\\*" MetricName=\\*"(\w+)\\*"/g;
    const searched = [...text.matchAll(search)];
    expect(new Set(searched.map(([, where]) => where))).toEqual(new Set([`${ofPipeline.namespace},${names}`]));
    expect(new Set(searched.map(([, , service]) => service))).toEqual(new Set([ofPipeline.dimensions[0].Value]));
    const single = [...text.matchAll(/\["Reelmill","(\w+)","Service","reelmill"/g)];
    const shown = [...searched.map(([, , , name]) => name), ...single.map(([, name]) => name)];
    expect([...new Set(shown)].toSorted()).toEqual(NAMES.toSorted());
  });

  it("tell of any dead letter", () => {
    expect(propertiesOf("Operations", "AWS::CloudWatch::Alarm", "AnyDeadLetter")).toMatchObject({
      Namespace: ofAll.namespace,
      MetricName: ofAll.names[0],
      Dimensions: ofAll.dimensions,
      Statistic: "Maximum",
      Threshold: 1,
      Period: 300,
      TreatMissingData: "ignore",
    });
  });

  it("are written by every container and function", () => {
    const containers = [
      ...resourcesOf("Work", "AWS::Batch::JobDefinition"),
      ...resourcesOf("Work", "AWS::ECS::TaskDefinition"),
    ];
    expect(containers).toHaveLength(10);
    for (const [id, { Properties }] of containers) {
      expect(JSON.stringify(Properties), id).toContain('{"Name":"REELMILL_METRICS","Value":"emf"}');
    }
    const functions = resourcesOf("Interface", "AWS::Lambda::Function");
    expect(functions).toHaveLength(5);
    for (const [id, { Properties }] of functions) {
      expect(Properties?.["Environment"], id).toMatchObject({ Variables: { REELMILL_METRICS: "emf" } });
    }
  });
});

describe("traces", () => {
  /** Of the templates that the endpoint gives: roles of what is told of it, and roles that may send spans, by their ids. */
  function rolesWith(endpoint: string) {
    const { app } = createReelmill({
      outdir: join(inject("assembly"), "traced"),
      context: { "reelmill:otlp_endpoint": endpoint },
      pipelines: ["hls", "stereo", "clip"],
      builtinCloudFormationValidation: false,
    });
    const resources = app
      .synth()
      .stacks.flatMap(({ template }) => Object.entries((template as TemplateJson).Resources));
    return {
      told: resources.filter(([, each]) => JSON.stringify(each).includes(endpoint)).map(([, each]) => roleOf(each)),
      allowed: resources.flatMap(([, each]) => (each.Type === "AWS::IAM::Policy" ? rolesThatSend(each) : [])),
    };
  }

  it("that go to X-Ray may be sent by whatever is told to send them, and nobody else", () => {
    const { told, allowed } = rolesWith("https://xray.eu-central-1.amazonaws.com");
    expect(new Set(told).size).toBe(10);
    expect(allowed.toSorted()).toEqual([...new Set(told)].toSorted());
  });

  it("that go to a collector need no right of AWS", () => {
    const { told, allowed } = rolesWith("https://collector.example.com");
    expect(new Set(told).size).toBe(10);
    expect(allowed).toEqual([]);
  });
});

/** The role that a container or function has itself. */
function roleOf({ Properties = {} }: Resource): string {
  const { ContainerProperties, TaskRoleArn, Role } = Properties;
  const { JobRoleArn } = (ContainerProperties ?? {}) as { readonly JobRoleArn?: Json };
  const [, id = ""] = /"Fn::GetAtt":\["(\w+)","Arn"\]/.exec(JSON.stringify(JobRoleArn ?? TaskRoleArn ?? Role)) ?? [];
  return id;
}

/** The roles of a policy by which spans can be sent to X-Ray. */
function rolesThatSend({ Properties = {} }: Resource): readonly string[] {
  const { Statement } = Properties["PolicyDocument"] as { readonly Statement: readonly { readonly Action: Json }[] };
  const actions = new Set(Statement.flatMap(({ Action }) => [Action].flat()));
  const needed = ["xray:PutSpans", "xray:PutSpansForIndexing", "xray:PutTraceSegments"];
  // As the CDK attaches policies.
  const roles = Properties["Roles"] as readonly { readonly Ref: string }[];
  return needed.every((each) => actions.has(each)) ? roles.map(({ Ref }) => Ref) : [];
}

describe("logs", () => {
  it("of every container and function are what the API looks into", () => {
    const { Environment } = propertiesOf("Interface", "AWS::Lambda::Function", "ApiServe");
    // As the CDK writes environments.
    const { Variables } = Environment as { readonly Variables: { readonly [name: string]: Json } };
    const named = JSON.stringify(Variables["CLOUDWATCH_LOG_GROUPS"]);
    const groups = (["Work", "Interface"] as const).flatMap((stack) => resourcesOf(stack, "AWS::Logs::LogGroup"));
    // Of the network, and of requests, which carry no job.
    const others = /^(NetworkFlowLogs|ApiAccessLogs)/;
    const wanted = groups.map(([id]) => id).filter((id) => !others.test(id));
    expect(wanted).toHaveLength(10);
    for (const id of wanted) expect(named).toContain(id);
    for (const [id] of groups) if (others.test(id)) expect(named).not.toContain(id);
  });
});
