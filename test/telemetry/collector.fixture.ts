import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { ReceivedRequest } from "./signature.fixture.ts";

const VALUE = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  // 64-bit numbers are texts.
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
]);
const ATTRIBUTES = z
  .array(z.strictObject({ key: z.string().min(1), value: VALUE }))
  .transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]])));
const SPAN_ID = z.string().regex(/^(?!0{16})[0-9a-f]{16}$/);
const NANOS = z.string().regex(/^\d{19}$/);
const SPAN = z
  .strictObject({
    traceId: z.string().regex(/^(?!0{32})[0-9a-f]{32}$/),
    spanId: SPAN_ID,
    parentSpanId: SPAN_ID.optional(),
    name: z.string().min(1),
    kind: z.int().min(1).max(5),
    startTimeUnixNano: NANOS,
    endTimeUnixNano: NANOS,
    attributes: ATTRIBUTES,
    status: z.strictObject({ code: z.literal(2), message: z.string() }).optional(),
  })
  .refine(({ startTimeUnixNano, endTimeUnixNano }) => BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano));

/** ExportTraceServiceRequest (opentelemetry-proto 1.x, trace/v1/trace.proto) as JSON, as far as Reelmill fills it; names it does not have are refused. */
const REQUEST = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: ATTRIBUTES }),
      scopeSpans: z.array(z.strictObject({ scope: z.strictObject({ name: z.string() }), spans: z.array(SPAN) })),
    }),
  ),
});

/** A span that came, with the resource that it is of. */
export type CollectedSpan = z.output<typeof SPAN> & { readonly resource: z.output<typeof ATTRIBUTES> };

/** What is answered in place of taking a request. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** A collector on loopback; one that asks who sends may refuse what comes. */
export async function startCollector(refuse: (request: ReceivedRequest) => Refusal | undefined = () => undefined) {
  const spans: CollectedSpan[] = [];
  const requests: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];
  const faults: unknown[] = [];
  const statuses: number[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    const { url: target = "", method = "", headers } = request;
    requests.push({ url: target, headers });
    const refusal = refuse({ method, target, headers, body: text });
    const status = refusal?.status ?? statuses.shift() ?? 200;
    const parsed = REQUEST.safeParse(JSON.parse(text));
    if (!parsed.success) faults.push(parsed.error.issues);
    else if (status === 200) {
      for (const { resource, scopeSpans } of parsed.data.resourceSpans) {
        for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
          spans.push({ ...span, resource: resource.attributes });
        }
      }
    }
    const answer = refusal === undefined ? {} : { message: refusal.message };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** In the order in which they came. */
    spans,
    requests,
    /** What of the requests is not as the protocol has it. */
    faults,
    /** The next answers; 200 where there are none. */
    statuses,
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
