import type { FastifyInstance, RouteHandlerMethod } from "fastify";
import type { Tracer } from "../../base/tracer.ts";

const LOOKING = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Does what changes something in a span, in the client's own trace where it names one (`traceparent`); to be called before there are routes. Who only looks,
 * as dashboards do all day, is not traced, nor are bodies of unknown length.
 */
export function traceRequests(app: FastifyInstance, tracer: Tracer): void {
  app.addHook("onRoute", (route) => {
    const { handler, url, method, config } = route;
    if ([method].flat().every((each) => LOOKING.has(each)) || config?.isRaw === true) return;
    const traced: RouteHandlerMethod = function traced(request, reply) {
      const { traceparent } = request.headers;
      const fields = { "http.request.method": request.method, "http.route": url };
      const parent = typeof traceparent === "string" ? traceparent : undefined;
      return tracer.run(`${request.method} ${url}`, { kind: "server", parent, fields }, async (span) => {
        const answer: unknown = await handler.call(this, request, reply);
        span.set({ "http.response.status_code": reply.statusCode });
        return answer;
      });
    };
    route.handler = traced;
  });
}
