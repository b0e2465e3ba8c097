import { z } from "zod";
import type { ErrorCode } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import type { Answer, RouteContract } from "./contract.ts";
import { statusOf } from "./problem.ts";
import { VIEWS } from "./view-schemas.ts";

/** A JSON object. */
type JsonObject = Readonly<Record<string, Json>>;

/** One operation of the description. */
export interface Operation {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly JsonObject[];
  readonly requestBody?: JsonObject;
  readonly responses: Readonly<Record<string, JsonObject>>;
  readonly security?: readonly JsonObject[];
}

/** The description of the interface. */
export interface OpenApi {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string }[];
  readonly security: readonly JsonObject[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Json>>;
    readonly securitySchemes: JsonObject;
  };
}

const BINARY: Json = { schema: { type: "string", format: "binary" } };
/** What every path may answer. */
const COMMON_ERRORS: readonly ErrorCode[] = [
  "REQUEST_INVALID",
  "UNAUTHORIZED",
  "FORBIDDEN",
  "RATE_LIMITED",
  "INTERNAL",
];

/** Describes the routes in OpenAPI 3.1, from the very schemas that requests are checked by. */
export function buildOpenApi(version: string, routes: readonly RouteContract[]): OpenApi {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = describeRoute(route);
    paths[route.path] = path;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Reelmill",
      version,
      description:
        "Errors are problem details (RFC 9457) with a stable code. Unknown fields and parameters are refused.",
    },
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ apiKey: [] }, { bearer: [] }, { session: [] }],
    paths,
    components: {
      schemas: describeViews(),
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "X-Api-Key" },
        bearer: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: "reelmill_session" },
      },
    },
  };
}

function describeViews(): Readonly<Record<string, Json>> {
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const registry = z.registry<{ id: string }>();
  for (const schema of Object.values(VIEWS)) registry.add(schema, { id: idOf(schema) });
  const { schemas } = z.toJSONSchema(registry, { uri, io: "output" });
  return Object.fromEntries(
    Object.keys(schemas)
      .sort()
      .map((name) => {
        const { $schema: _dialect, $id: _address, ...schema } = schemas[name] as Record<string, Json>;
        return [name, schema];
      }),
  );
}

function idOf(schema: z.ZodType): string {
  return schema.meta()?.id ?? "";
}

function describeRoute(route: RouteContract): Operation {
  const { method, summary, tag, body, isRaw, isOpen } = route;
  const errors = [...new Set([...route.errors, ...COMMON_ERRORS])];
  const statuses = [...new Set(errors.map(statusOf))].sort();
  const problems = statuses.map((status) => {
    const codes = errors.filter((code) => statusOf(code) === status).join(", ");
    const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
    return [String(status), { description: codes, content }] as const;
  });
  const answers = Object.entries(route.answers).map(([status, answer]) => [status, describeAnswer(answer)] as const);
  const takesBytes = isRaw === true && ["PUT", "PATCH", "POST"].includes(method);
  return {
    summary,
    tags: [tag],
    parameters: describeParameters(route),
    ...(body === undefined ? {} : { requestBody: describeBody(body) }),
    ...(takesBytes ? { requestBody: { content: { "application/offset+octet-stream": BINARY } } } : {}),
    responses: Object.fromEntries([...answers, ...problems]),
    ...(isOpen === true ? { security: [{}] } : {}),
  };
}

function describeBody(body: z.ZodType): JsonObject {
  const isOptional = body.safeParse(undefined).success;
  return { required: !isOptional, content: { "application/json": inputOf(body) } };
}

function describeAnswer({ description, schema, mediaType }: Answer): JsonObject {
  if (schema !== undefined) {
    const content = { "application/json": { schema: { $ref: `#/components/schemas/${idOf(schema)}` } } };
    return { description, content };
  }
  return mediaType === undefined ? { description } : { description, content: { [mediaType]: {} } };
}

function inputOf(schema: z.ZodType): JsonObject {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return { schema: json as unknown as Json };
}

function describeParameters({ path, params, query, headers = {} }: RouteContract): readonly JsonObject[] {
  const named = Object.entries(headers).map(([name, description]) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  }));
  const isKey = path.endsWith("{key}");
  const key = { name: "key", in: "path", required: true, description: "Segments percent-encoded, slashes plain." };
  return [
    ...(isKey ? [{ ...key, schema: { type: "string" } }] : fieldsOf(params, "path")),
    ...fieldsOf(query, "query"),
    ...named,
  ];
}

function fieldsOf(schema: z.ZodType | undefined, where: "path" | "query"): readonly JsonObject[] {
  if (schema === undefined) return [];
  const { schema: described } = inputOf(schema) as { readonly schema: JsonObject };
  const properties = (described?.["properties"] ?? {}) as JsonObject;
  const required = (described?.["required"] ?? []) as readonly string[];
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: where,
    required: where === "path" || required.includes(name),
    schema: field,
  }));
}
