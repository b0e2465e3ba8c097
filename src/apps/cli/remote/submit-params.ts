import { readFileSync } from "node:fs";
import { ReelmillError } from "../../../base/errors.ts";
import type { Json } from "../../../base/json.ts";

/** A JSON object. */
export type JsonObject = Readonly<Record<string, Json>>;

/** What the command line says about a job's params. */
export interface ParamSources {
  /** `name=value` each. */
  readonly param: readonly string[];
  /** File that holds a JSON object. */
  readonly paramsFile?: string;
}

/**
 * The params that file and options give together; an option replaces what the file says. Values become what the pipeline's
 * schema asks for. Throws USAGE, INPUT_UNREADABLE.
 */
export function readParams(sources: ParamSources, schema: JsonObject): Record<string, Json> {
  const params: Record<string, Json> = { ...readParamsFile(sources.paramsFile) };
  const given = new Map<string, string[]>();
  for (const text of sources.param) {
    const split = text.indexOf("=");
    if (split < 1) throw new ReelmillError("USAGE", `--param ${text} is not of the form name=value.`);
    const name = text.slice(0, split);
    given.set(name, [...(given.get(name) ?? []), text.slice(split + 1)]);
  }
  for (const name of [...Object.keys(params), ...given.keys()]) requireKnown(name, schema);
  for (const [name, values] of given) params[name] = convertParam(name, values, schema);
  return params;
}

/** The schema of one of the params; undefined where the pipeline has none of that name. */
export function paramSchema(schema: JsonObject, name: string): JsonObject | undefined {
  const properties = asObject(schema["properties"] ?? null);
  return Object.hasOwn(properties, name) ? resolve(asObject(properties[name] ?? null), schema) : undefined;
}

/** The kinds of JSON values that a schema allows, as far as it says. */
export function typesOf(schema: JsonObject, root: JsonObject): ReadonlySet<string> {
  const { type } = schema;
  if (typeof type === "string") return new Set([type]);
  if (Array.isArray(type)) return new Set(type.map(String));
  const values: readonly Json[] = Array.isArray(schema["enum"]) ? schema["enum"] : [];
  const constant = Object.hasOwn(schema, "const") ? [typeName(schema["const"] ?? null)] : [];
  const nested = choicesOf(schema, root).flatMap((choice) => [...typesOf(choice, root)]);
  return new Set([...nested, ...values.map(typeName), ...constant]);
}

function choicesOf({ anyOf, oneOf }: JsonObject, root: JsonObject): readonly JsonObject[] {
  const choices: readonly Json[] = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : [];
  return choices.map((choice) => resolve(asObject(choice), root));
}

/** The schema of lists among those that are allowed; undefined where none is. */
function listSchema(schema: JsonObject, root: JsonObject): JsonObject | undefined {
  return [schema, ...choicesOf(schema, root)].find(({ type }) => type === "array");
}

function readParamsFile(path: string | undefined): JsonObject {
  if (path === undefined) return {};
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("INPUT_UNREADABLE", `${path} cannot be read: ${reason}`, { cause: error });
  }
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReelmillError("USAGE", `${path} is no JSON: ${reason}`, { cause: error });
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new ReelmillError("USAGE", `${path} must hold a JSON object of parameters.`);
  }
  return value as JsonObject;
}

function requireKnown(name: string, schema: JsonObject): void {
  const known = Object.keys(asObject(schema["properties"] ?? null));
  if (schema["additionalProperties"] !== false || known.includes(name)) return;
  throw new ReelmillError("USAGE", `The pipeline has no parameter "${name}". It has: ${known.join(", ")}.`);
}

function convertParam(name: string, values: readonly string[], root: JsonObject): Json {
  const schema = paramSchema(root, name) ?? {};
  const [value = ""] = values;
  const list = listSchema(schema, root);
  const isWord = values.length === 1 && choicesOf(schema, root).some((choice) => choice["const"] === value);
  if (list !== undefined && !isWord) {
    if (values.length === 1 && value.trimStart().startsWith("[")) return parseJson(name, value, "a JSON array");
    const items = resolve(asObject(list["items"] ?? null), root);
    const types = typesOf(items, root);
    // Text, such as an object's key, may have commas of its own.
    const isPlain = !types.has("string") || Array.isArray(items["enum"]);
    const parts = isPlain ? values.flatMap((item) => item.split(",").map((part) => part.trim())) : values;
    return parts.map((item) => convertValue(name, item, types));
  }
  if (values.length > 1) throw new ReelmillError("USAGE", `The parameter "${name}" takes one value, not several.`);
  return convertValue(name, value, typesOf(schema, root));
}

/** Ranges and names are the server's business; here is only decided what kind of value the text stands for. */
function convertValue(name: string, text: string, types: ReadonlySet<string>): Json {
  const isNumber = types.has("number") || types.has("integer");
  if (isNumber && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  if (types.has("null") && text === "null") return null;
  if (types.has("string")) return text;
  if (types.has("object") || types.has("array")) return parseJson(name, text, "JSON");
  if (types.size === 0) return text;
  throw new ReelmillError("USAGE", `The parameter "${name}" is "${text}", but must be: ${[...types].join(" or ")}.`);
}

function parseJson(name: string, text: string, what: string): Json {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ReelmillError("USAGE", `The parameter "${name}" must be ${what}.`, { cause: error });
  }
}

/** Follows a reference within the schema; one that leads nowhere, or round in a circle, allows everything. */
function resolve(schema: JsonObject, root: JsonObject): JsonObject {
  let current = schema;
  for (let steps = 0; steps < 10; steps += 1) {
    const reference = current["$ref"];
    if (typeof reference !== "string") return current;
    const name = /^#\/\$defs\/([^/]+)$/.exec(reference)?.[1];
    const definitions = asObject(root["$defs"] ?? null);
    if (name === undefined || !Object.hasOwn(definitions, name)) return {};
    current = asObject(definitions[name] ?? null);
  }
  return {};
}

/** The value where it is an object, else an empty one. */
export function asObject(value: Json): JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as JsonObject) : {};
}

function typeName(value: Json): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}
