import { loadAwsServiceSpecSync } from "@aws-cdk/aws-service-spec";
import type { PropertyType, ResourceProperties, SpecDatabase } from "@aws-cdk/service-spec-types";
import { describe, expect, it } from "vitest";
import { type Json, type Resource, readTemplate, STACKS, TEMPLATE_KINDS } from "./templates.fixture.ts";

const database = loadAwsServiceSpecSync();

describe("every resource is as its service specifies it", () => {
  it.each(STACKS.flatMap((stack) => TEMPLATE_KINDS.map((kind) => [stack, kind] as const)))("%s, %s", (stack, kind) => {
    const resources = Object.entries(readTemplate(stack, kind).Resources);
    expect(resources.flatMap(([id, resource]) => faultsOf(database, id, resource))).toEqual([]);
    expect(resources.length).toBeGreaterThan(0);
  });

  it("finds what is wrong", () => {
    const queue: Resource = { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeouts: 5, DelaySeconds: "soon" } };
    expect(faultsOf(database, "Q", queue)).toEqual([
      "Q.VisibilityTimeouts: unknown",
      'Q.DelaySeconds: "soon" is no integer',
    ]);
    const alarm: Resource = {
      Type: "AWS::CloudWatch::Alarm",
      Properties: {
        ComparisonOperator: "LessThanThreshold",
        EvaluationPeriods: 1,
        Metrics: [{ Expression: "1" }],
      },
    };
    expect(faultsOf(database, "A", alarm)).toEqual(["A.Metrics[0]: Id is missing"]);
    const group: Resource = { Type: "AWS::Logs::LogGroup", Properties: { RetentionInDays: 31 } };
    expect(faultsOf(database, "G", group)).toEqual(["G.RetentionInDays: 31 is not allowed"]);
    expect(faultsOf(database, "X", { Type: "AWS::SQS::Quay" })).toEqual(["X: unknown type AWS::SQS::Quay"]);
  });
});

function faultsOf(db: SpecDatabase, id: string, { Type, Properties = {} }: Resource): readonly string[] {
  const specification = db.lookup("resource", "cloudFormationType", "equals", Type)[0];
  if (specification === undefined) return [`${id}: unknown type ${Type}`];
  return faultsOfFields(db, id, specification.properties, Properties);
}

function faultsOfFields(
  db: SpecDatabase,
  at: string,
  known: ResourceProperties,
  fields: { readonly [name: string]: Json },
): readonly string[] {
  const missing = Object.entries(known)
    .filter(([name, { required }]) => required === true && !(name in fields))
    .map(([name]) => `${at}: ${name} is missing`);
  const wrong = Object.entries(fields).flatMap(([name, value]) => {
    const property = known[name];
    if (property === undefined) return [`${at}.${name}: unknown`];
    const types = [property.type, ...(property.previousTypes ?? [])];
    return leastOf(types.map((type) => faultsOfValue(db, `${at}.${name}`, type, value)));
  });
  return [...missing, ...wrong];
}

/** Functions of CloudFormation are known only when it runs. */
function isIntrinsic(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  const [name, ...others] = Object.keys(value);
  return others.length === 0 && name !== undefined && (name === "Ref" || name.startsWith("Fn::"));
}

function faultsOfValue(db: SpecDatabase, at: string, type: PropertyType, value: Json): readonly string[] {
  if (isIntrinsic(value)) return [];
  const is = (fits: boolean): readonly string[] => (fits ? [] : [`${at}: ${JSON.stringify(value)} is no ${type.type}`]);
  const isOneOf = (allowed: readonly Json[] | undefined): readonly string[] =>
    allowed === undefined || allowed.includes(value) ? [] : [`${at}: ${JSON.stringify(value)} is not allowed`];
  switch (type.type) {
    case "string":
      return typeof value === "string" ? isOneOf(type.allowedValues) : is(false);
    case "date-time":
      return is(typeof value === "string");
    case "number":
      return is(typeof value === "number");
    case "integer":
      return Number.isInteger(value) ? isOneOf(type.allowedValues) : is(false);
    case "boolean":
      return is(typeof value === "boolean");
    case "json":
      return is(typeof value === "object" || typeof value === "string");
    case "tag":
      return is(typeof value === "object");
    case "array":
      return Array.isArray(value)
        ? value.flatMap((each: Json, index) => faultsOfValue(db, `${at}[${index}]`, type.element, each))
        : is(false);
    case "map":
      return isFields(value)
        ? Object.entries(value).flatMap(([name, each]) => faultsOfValue(db, `${at}.${name}`, type.element, each))
        : is(false);
    case "ref":
      return isFields(value)
        ? faultsOfFields(db, at, db.get("typeDefinition", type.reference.$ref).properties, value)
        : is(false);
    case "union":
      return leastOf(type.types.map((each) => faultsOfValue(db, at, each, value)));
    default:
      throw new Error(`${at}: the specification has the unknown type ${JSON.stringify(type)}.`);
  }
}

function leastOf(candidates: readonly (readonly string[])[]): readonly string[] {
  const [least = []] = candidates.toSorted((a, b) => a.length - b.length);
  return least;
}

function isFields(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
