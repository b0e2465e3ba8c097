import { describe, expect, it } from "vitest";
import {
  type Json,
  resourcesOf,
  STACKS,
  type StackName,
  TEMPLATE_KINDS,
  type TemplateKind,
} from "./templates.fixture.ts";

/** What a role may do: an action, to what, and on which condition; or what it never may, whatever else allows it. */
interface Right {
  readonly isDenied: boolean;
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  readonly condition: string;
}

const CHANGES = ["s3:PutObject", "s3:DeleteObject"];
/** What workers only read; some of it is named like what they make. */
const GIVEN = [
  "uploads/job/input.mp4",
  "uploads/show/clips/1/clip.mp4",
  "references/camera.mp4",
  "batches/untrunc-1.json",
  "logs/job/machine.jsonl",
];
/** A job's own, its parts, and what lies below a prefix that a batch or a message names. */
const MADE = ["outputs/job/parts/plan.json", "outputs/tuesday/clip.mp4", "outputs/media/org/one/asset.json"];

/** What AWS knows no narrower resource for. */
const FOR_EVERYTHING = new Set([
  "batch:DescribeJobs",
  "batch:ListJobs",
  "dynamodb:ListStreams",
  "ecr:GetAuthorizationToken",
  "ecs:DiscoverPollEndpoint",
  "ecs:Poll",
  "ecs:StartTelemetrySession",
  "logs:CreateLogStream",
  "logs:PutLogEvents",
  "xray:GetSamplingRules",
  "xray:GetSamplingTargets",
  "xray:PutSpans",
  "xray:PutSpansForIndexing",
  "xray:PutTelemetryRecords",
  "xray:PutTraceSegments",
]);

describe("rights", () => {
  const rights = STACKS.flatMap((stack) => rightsIn(stack, "assembly"));

  it("are those that were looked at, line by line", async () => {
    await expect(linesOf(rights)).toMatchFileSnapshot("permissions.golden.txt");
  });

  it("that settings add are those that were looked at", async () => {
    const known = new Set(rights.map(lineOf));
    const added = STACKS.flatMap((stack) => rightsIn(stack, "otherwise")).filter((right) => !known.has(lineOf(right)));
    await expect(linesOf(added)).toMatchFileSnapshot("permissions-otherwise.golden.txt");
  });

  it("let workers take from their own queues alone", () => {
    const takers = rights.filter(({ action }) => action === "sqs:ReceiveMessage");
    expect(takers.map(({ role, resource }) => `${role} ${resource}`).toSorted()).toEqual([
      "Work/HlsTaskTaskRole HlsQueueTasks.Arn",
      "Work/StereoMediaTaskTaskRole ChunkingQueueTasks.Arn",
      "Work/StereoMediaTaskTaskRole ReassemblyQueueTasks.Arn",
      "Work/StereoVideoTaskTaskRole InferenceQueueTasks.Arn",
    ]);
  });

  it("let workers wake those of their own pipeline alone", () => {
    const sent = rights.filter(({ role, action }) => role.startsWith("Work/") && action === "sqs:SendMessage");
    const stereo = ["ChunkingQueueTasks.Arn", "InferenceQueueTasks.Arn", "ReassemblyQueueTasks.Arn"];
    const of = (role: string) => sent.filter((right) => right.role === role).map(({ resource }) => resource);
    expect(of("Work/HlsTaskTaskRole")).toEqual(["HlsQueueTasks.Arn"]);
    expect(of("Work/StereoMediaTaskTaskRole")).toEqual(stereo);
    expect(of("Work/StereoVideoTaskTaskRole")).toEqual(stereo);
    expect(sent).toHaveLength(7);
  });

  it("let no worker change what was given in", () => {
    const inWork = ["BatchRepair", "BatchConvert", "HlsTaskTask", "StereoMediaTaskTask", "StereoVideoTaskTask"];
    const workers = [...inWork.map((name) => `Work/${name}Role`), "Interface/ClipsWorkAtStateRole"];
    const writers = new Set(rights.filter(({ action }) => action === "s3:PutObject").map(({ role }) => role));
    expect([...writers].toSorted()).toEqual(["Interface/ApiServeRole", ...workers].toSorted());
    for (const role of workers) {
      const done = [...GIVEN, ...MADE].filter((key) => CHANGES.some((action) => may(rights, role, action, key)));
      expect([role, done]).toEqual([role, MADE]);
    }
    expect(may(rights, "Work/StereoMediaTaskTaskRole", "s3:PutObject", "segments/job/00001_00002_sbs.mp4")).toBe(true);
    expect(may(rights, "Interface/ClipsWorkAtStateRole", "s3:PutObject", "show/clips/1/clip.mp4")).toBe(true);
  });

  it("let the API alone change recordings, and the sweeper remove old ones", () => {
    const roles = [...new Set(rights.map(({ role }) => role))];
    const who = (action: string) => roles.filter((role) => may(rights, role, action, "uploads/job/input.mp4"));
    expect(who("s3:PutObject")).toEqual(["Interface/ApiServeRole"]);
    expect(who("s3:DeleteObject").toSorted()).toEqual(["Interface/ApiServeRole", "Interface/EventsSweeperRole"]);
    const changing = rights.filter(({ action }) => /^s3:(?!GetObject$|ListBucket$)/.test(action));
    expect(new Set(changing.map(({ action }) => action))).toEqual(
      new Set(["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]),
    );
  });
});

describe.each(TEMPLATE_KINDS)("rights of the templates of %s", (kind) => {
  const rights = STACKS.flatMap((stack) => rightsIn(stack, kind));

  it("are named action by action", () => {
    const wide = rights.filter(({ action }) => action.includes("*")).map(({ role, action }) => `${role} ${action}`);
    expect(wide).toEqual(["Work/HlsMachineRole ecs:Submit*"]);
  });

  it("are for everything only where AWS knows no narrower resource", () => {
    const wide = new Set(rights.filter(({ resource }) => resource === "*").map(({ action }) => action));
    expect([...wide].filter((action) => !FOR_EVERYTHING.has(action))).toEqual([]);
  });

  it("let nobody administer anything", () => {
    const kinds = new Set(rights.map(({ action }) => action.slice(0, action.indexOf(":"))));
    for (const kind of ["iam", "sts", "cloudformation", "budgets", "ec2"]) expect(kinds).not.toContain(kind);
    const verbs = /:(Create(?!LogStream)|DeleteBucket|DeleteTable|DeleteQueue|Purge|PutBucket|SetQueue|PassRole)/;
    expect(rights.filter(({ action }) => verbs.test(action))).toEqual([]);
  });
});

/** Whether IAM would let the role do it to the object. */
function may(rights: readonly Right[], role: string, action: string, key: string): boolean {
  const asked = rights.filter(
    (right) => right.role === role && right.action === action && matches(right.resource, `StorageObjects.Arn/${key}`),
  );
  return asked.some(({ isDenied }) => !isDenied) && !asked.some(({ isDenied }) => isDenied);
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join(".*")}$`).test(text);
}

function linesOf(rights: readonly Right[]): string {
  return `${rights.map(lineOf).toSorted().join("\n")}\n`;
}

function lineOf({ isDenied, role, action, resource, condition }: Right): string {
  return [role, isDenied ? `never ${action}` : action, resource, condition].filter((part) => part !== "").join("  ");
}

function rightsIn(stack: StackName, kind: TemplateKind): readonly Right[] {
  const policies = resourcesOf(stack, "AWS::IAM::Policy", kind).flatMap(([id, { Properties = {} }]) => {
    const role = `${stack}/${nameOf(id).replace(/DefaultPolicy$/, "")}`;
    return statementsOf(Properties["PolicyDocument"]).flatMap((statement) => rightsOf(role, statement));
  });
  const managed = resourcesOf(stack, "AWS::IAM::Role", kind).flatMap(([id, { Properties = {} }]) =>
    [Properties["ManagedPolicyArns"] ?? []].flat().map((policy) => ({
      isDenied: false,
      role: `${stack}/${nameOf(id)}`,
      action: "managed:policy",
      resource: JSON.stringify(policy),
      condition: "",
    })),
  );
  return [...policies, ...managed];
}

function statementsOf(document: Json | undefined): readonly { readonly [name: string]: Json }[] {
  // As IAM has it.
  return (document as { readonly Statement: readonly { readonly [name: string]: Json }[] }).Statement;
}

function rightsOf(role: string, statement: { readonly [name: string]: Json }): readonly Right[] {
  expect(["Allow", "Deny"]).toContain(statement["Effect"]);
  const condition = statement["Condition"] === undefined ? "" : textOf(statement["Condition"]);
  return [statement["Action"] ?? []].flat().flatMap((action) =>
    [statement["Resource"] ?? []].flat().map((resource) => ({
      isDenied: statement["Effect"] === "Deny",
      role,
      action: String(action),
      resource: textOf(resource),
      condition,
    })),
  );
}

/** Without what the CDK puts behind names so that they differ. */
function nameOf(id: string): string {
  return id.replace(/[0-9A-F]{8}$/, "");
}

/** Functions of CloudFormation as what they stand for. */
function textOf(value: Json): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  const [[name, argument] = ["", ""]] = Object.entries(value as { readonly [name: string]: Json });
  if (name === "Ref") return nameOf(String(argument));
  if (name === "Fn::GetAtt" && Array.isArray(argument)) return `${nameOf(String(argument[0]))}.${String(argument[1])}`;
  if (name === "Fn::Join" && Array.isArray(argument))
    return [argument[1] ?? []]
      .flat()
      .map((each: Json) => textOf(each))
      .join("");
  if (name === "Fn::ImportValue") return importedOf(String(argument));
  return `{${Object.entries(value)
    .map(([key, each]) => `${key}: ${textOf(each as Json)}`)
    .join(", ")}}`;
}

function importedOf(exported: string): string {
  const [, kind, rest = ""] = /^Reelmill\w+:ExportsOutput(FnGetAtt|Ref)(.*?)[0-9A-F]{8}$/.exec(exported) ?? [];
  if (kind === "Ref") return nameOf(rest);
  return rest.replace(/[0-9A-F]{8}(\w+)$/, ".$1");
}
