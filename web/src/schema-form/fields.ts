import type { Json } from "../api/types.ts";

type JsonObject = { readonly [key: string]: Json };

/** One parameter of a pipeline, as the form asks for it. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly hint: string | null;
  readonly isRequired: boolean;
  /** What the pipeline takes where nothing is given; undefined where the schema names none. */
  readonly fallback: Json | undefined;
  readonly input: FieldInput;
  /** What options are called; those that are missing are shown as words. */
  readonly optionLabels?: Readonly<Record<string, string>>;
}

/** How a parameter is asked for. */
export type FieldInput =
  /** Filled with uploaded files: one object key, or a list of them. */
  | { readonly kind: "files"; readonly isList: boolean; readonly fewest: number; readonly most: number }
  | { readonly kind: "choice"; readonly options: readonly string[] }
  | { readonly kind: "switch" }
  | { readonly kind: "number"; readonly isInteger: boolean; readonly min?: number; readonly max?: number }
  | { readonly kind: "text" }
  /** Texts, one to a line. */
  | { readonly kind: "lines" }
  /** What the form knows no better way for. */
  | { readonly kind: "json" };

/** Parameters that hold object keys, by the names that the pipelines give them. */
const FILE_LISTS: ReadonlySet<string> = new Set(["inputs", "references"]);
const SINGLE_FILES: ReadonlySet<string> = new Set(["input", "source", "reference"]);

/** Reads the fields of a form from a pipeline's JSON Schema (2020-12); those for files come first, then those that are needed. */
export function parseFields(schema: Json): readonly Field[] {
  const root = asObject(schema);
  const required = Array.isArray(root["required"]) ? root["required"] : [];
  const fields = Object.entries(asObject(root["properties"])).map(([name, property]) =>
    parseField(name, withoutNull(asObject(property)), required.includes(name)),
  );
  return fields.toSorted((one, other) => rankOf(one) - rankOf(other));
}

/** What is likely to be changed comes before what is rarely. */
const KINDS: readonly FieldInput["kind"][] = ["choice", "number", "switch", "text", "lines", "json"];

function rankOf({ input, isRequired }: Field): number {
  if (input.kind === "files") return 0;
  return isRequired ? 1 : 2 + KINDS.indexOf(input.kind);
}

function parseField(name: string, property: JsonObject, isRequired: boolean): Field {
  const fallback = property["default"];
  return {
    name,
    label: textOf(property["title"]) ?? labelOf(name),
    hint: textOf(property["description"]),
    // Schemas of what a pipeline ends up with name parameters as required that it fills in itself.
    isRequired: isRequired && fallback === undefined,
    fallback,
    input: parseInput(name, property),
  };
}

function parseInput(name: string, property: JsonObject): FieldInput {
  const options = optionsOf(property);
  if (options !== null) return { kind: "choice", options };
  switch (property["type"]) {
    case "boolean":
      return { kind: "switch" };
    case "integer":
    case "number": {
      const [min, max] = [property["minimum"], property["maximum"]];
      return {
        kind: "number",
        isInteger: property["type"] === "integer",
        ...(isSafeBound(min) ? { min } : {}),
        ...(isSafeBound(max) ? { max } : {}),
      };
    }
    case "string":
      if (SINGLE_FILES.has(name) || property["format"] === "object-key") {
        return { kind: "files", isList: false, fewest: 1, most: 1 };
      }
      return { kind: "text" };
    case "array":
      return parseList(name, property);
    default:
      return { kind: "json" };
  }
}

function parseList(name: string, property: JsonObject): FieldInput {
  const items = asObject(property["items"]);
  if (items["type"] !== "string" || optionsOf(items) !== null) return { kind: "json" };
  if (!FILE_LISTS.has(name) && items["format"] !== "object-key") return { kind: "lines" };
  const most = numberOf(property["maxItems"]) ?? Number.POSITIVE_INFINITY;
  return { kind: "files", isList: true, fewest: numberOf(property["minItems"]) ?? 0, most };
}

/** The texts that are allowed, from `enum` or from `anyOf` with `const`s; null where other things are. */
function optionsOf(property: JsonObject): readonly string[] | null {
  const { enum: listed, anyOf, oneOf } = property;
  const constants = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : null;
  const values = Array.isArray(listed) ? listed : constants?.map((one) => asObject(one)["const"] ?? null);
  if (values === undefined || values.length === 0) return null;
  return values.every((value): value is string => typeof value === "string") ? values : null;
}

/** `T or null` as `T`: leaving the field out says the same. */
function withoutNull(property: JsonObject): JsonObject {
  const { anyOf, ...rest } = property;
  if (!Array.isArray(anyOf)) return property;
  const others = anyOf.filter((one) => asObject(one)["type"] !== "null");
  return others.length === 1 ? { ...rest, ...asObject(others[0]) } : property;
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}

/** Schemas of integers without a bound name the largest safe ones, which help nobody. */
function isSafeBound(value: Json | undefined): value is number {
  return typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER;
}

function labelOf(name: string): string {
  const words = name.replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
