import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import type { CancellationContext, Upload } from "@tus/server";
import { Server } from "@tus/server";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { type ErrorCode, ReelmillError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import { type RouteContract, serve } from "../contract.ts";
import type { ServerDependencies } from "../dependencies.ts";
import { SECURITY_HEADERS } from "../headers.ts";
import { formatObjectPath } from "../object-path.ts";
import { isFault, PROBLEM_TYPE, statusOf, toProblem } from "../problem.ts";
import { endOnSilence } from "../streams.ts";
import { createUploadLocks } from "../upload-locks.ts";
import { isUploadId } from "../upload-state.ts";
import { UploadStore } from "../upload-store.ts";

const ROOT = "/v1/uploads";
const TAG = "uploads";
const ID = z.strictObject({ id: z.string() });
const TUS = { "tus-resumable": "1.0.0" };
/** Where the finished upload will be, percent-encoded as in `/v1/objects/{key}`. */
const KEY_HEADER = "upload-object-key";

/** What is served of uploads, by the protocol tus 1.0.0. */
export const UPLOAD_ROUTES = {
  options: {
    method: "OPTIONS",
    path: ROOT,
    tag: TAG,
    summary: "What the server knows of tus (tus.io)",
    answers: { 204: { description: "Tus-Extension and Tus-Max-Size tell." } },
    errors: [],
    isRaw: true,
  },
  create: {
    method: "POST",
    path: ROOT,
    tag: TAG,
    summary: "Begin an upload; its first bytes may come along",
    headers: {
      ...TUS,
      "upload-length": "Bytes of the whole.",
      "upload-metadata": "`filename` and `filetype`, in Base64.",
    },
    answers: { 201: { description: "Location is where its bytes go, Upload-Object-Key the key that it will have." } },
    errors: ["REQUEST_INVALID", "BODY_TOO_LARGE", "NO_SPACE"],
    isRaw: true,
  },
  head: {
    method: "HEAD",
    path: `${ROOT}/{id}`,
    tag: TAG,
    summary: "How far an upload has come",
    params: ID,
    headers: TUS,
    answers: { 200: { description: "Upload-Offset tells." } },
    errors: ["UPLOAD_NOT_FOUND"],
    isRaw: true,
  },
  append: {
    method: "PATCH",
    path: `${ROOT}/{id}`,
    tag: TAG,
    summary: "Go on with an upload",
    params: ID,
    headers: { ...TUS, "upload-offset": "Where the bytes go.", "content-type": "application/offset+octet-stream" },
    answers: { 204: { description: "They are kept; with the last of them, the object is there." } },
    errors: ["UPLOAD_NOT_FOUND", "UPLOAD_REFUSED", "BODY_TOO_LARGE", "NO_SPACE"],
    isRaw: true,
  },
  remove: {
    method: "DELETE",
    path: `${ROOT}/{id}`,
    tag: TAG,
    summary: "Give an upload up, and remove what it has brought",
    params: ID,
    headers: TUS,
    answers: { 204: { description: "It is gone." } },
    errors: ["UPLOAD_NOT_FOUND"],
    isRaw: true,
  },
} as const satisfies Readonly<Record<string, RouteContract>>;

/** How often uploads that nobody goes on with are looked for. */
const SWEEP_MS = 10 * 60_000;

/** Serves `UPLOAD_ROUTES`; wants a scope whose bodies are not parsed. */
export function addUploadRoutes(app: FastifyInstance, deps: ServerDependencies): void {
  const { uploadFolder, objects, clock, log, limits } = deps;
  const store = new UploadStore({ folder: uploadFolder, objects, clock, keepMs: limits.uploadKeepMs });
  const asking: Asking = new AsyncLocalStorage();
  const tus = createTus(store, limits.uploadBytes, log, asking);
  const answer = async (request: FastifyRequest, reply: FastifyReply, id?: string): Promise<FastifyReply> => {
    const key = id !== undefined && isUploadId(id) ? await store.keyOf(id) : undefined;
    reply.hijack();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) reply.raw.setHeader(name, value);
    if (key !== undefined) reply.raw.setHeader(KEY_HEADER, formatObjectPath(key));
    endOnSilence(request.raw, reply.raw, limits.uploadSilenceMs);
    try {
      const length = request.headers["upload-length"];
      const asked = { url: request.url, uploadLength: typeof length === "string" ? length : undefined };
      await asking.run(asked, () => tus.handle(request.raw, reply.raw));
    } catch (error) {
      log.error("An upload could not be answered.", { error });
      reply.raw.destroy();
    }
    return reply;
  };
  serve(app, UPLOAD_ROUTES.options, ({ request, reply }) => answer(request, reply));
  serve(app, UPLOAD_ROUTES.create, ({ request, reply }) => answer(request, reply));
  for (const contract of [UPLOAD_ROUTES.head, UPLOAD_ROUTES.append, UPLOAD_ROUTES.remove]) {
    serve(app, contract, ({ params, request, reply }) => answer(request, reply, params.id));
  }
  sweepUploads(app, store, log);
}

function sweepUploads(app: FastifyInstance, store: UploadStore, log: Logger): void {
  const failed = (error: unknown): void => log.error("Uploads could not be swept.", { error });
  let timer: NodeJS.Timeout | undefined;
  app.addHook("onReady", async () => {
    await store.finishComplete().catch(failed);
    await store.deleteExpired().catch(failed);
    timer = setInterval(() => void store.deleteExpired().catch(failed), SWEEP_MS);
    timer.unref();
  });
  app.addHook("onClose", async () => clearInterval(timer));
}

/** What is being answered; the protocol's server does not hand it to whoever writes its errors. */
interface Asked {
  readonly url: string;
  /** As the client announced it. */
  readonly uploadLength: string | undefined;
}

type Asking = AsyncLocalStorage<Asked>;

/** The protocol's own server, whose errors are told as all others are. */
class ProblemServer extends Server {
  readonly #asking: Asking;

  constructor(asking: Asking, options: ConstructorParameters<typeof Server>[0]) {
    super(options);
    this.#asking = asking;
  }

  override write(context: CancellationContext, headers: Headers, status: number, body = "") {
    if (status < 400) return super.write(context, headers, status, body);
    headers.set("Content-Type", PROBLEM_TYPE);
    if (status === 412) headers.set("Tus-Version", "1.0.0");
    const isProblem = body.startsWith("{");
    const problem = isProblem ? body : formatProblem(protocolError(status, body), this.#asking.getStore(), status);
    return super.write(context, headers, status, problem);
  }
}

function createTus(datastore: UploadStore, maxSize: number, log: Logger, asking: Asking): Server {
  const format = (error: ReelmillError, status?: number): string => formatProblem(error, asking.getStore(), status);
  return new ProblemServer(asking, {
    path: ROOT,
    datastore,
    maxSize,
    relativeLocation: true,
    locker: createUploadLocks(),
    // Nobody is let in from other origins.
    allowedOrigins: () => false,
    namingFunction: () => randomBytes(16).toString("hex"),
    getFileIdFromRequest: (_request, last) => (last !== undefined && isUploadId(last) ? last : undefined),
    onUploadCreate: async (request, { id, metadata }: Upload) => {
      const key = UploadStore.keyFor(id, metadata);
      request.runtime?.node?.res?.setHeader(KEY_HEADER, formatObjectPath(key));
      return {};
    },
    onResponseError: (_request, error) => {
      if (error instanceof ReelmillError) {
        if (isFault(error)) log.error("An upload failed.", { error });
        return { status_code: statusOf(error.code), body: format(error) };
      }
      if ("status_code" in error && typeof error.status_code === "number") {
        const { status_code } = error;
        const length = Number(asking.getStore()?.uploadLength);
        const failure =
          status_code === 413 && length > maxSize
            ? tooLarge(length, maxSize)
            : protocolError(status_code, String(error.body));
        return { status_code, body: format(failure, status_code) };
      }
      log.error("An upload failed.", { error });
      return { status_code: 500, body: format(new ReelmillError("INTERNAL", "", { cause: error })) };
    },
  });
}

const PROTOCOL_CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [404, "UPLOAD_NOT_FOUND"],
  [409, "UPLOAD_REFUSED"],
  [410, "UPLOAD_NOT_FOUND"],
  [413, "BODY_TOO_LARGE"],
]);

function protocolError(status: number, text: string): ReelmillError {
  const message = text.trim().replace(/\.?$/, ".");
  return new ReelmillError(PROTOCOL_CODES.get(status) ?? "REQUEST_INVALID", message);
}

function tooLarge(bytes: number, maxBytes: number): ReelmillError {
  return new ReelmillError("BODY_TOO_LARGE", `The upload has ${bytes} bytes; the server takes at most ${maxBytes}.`);
}

function formatProblem(error: ReelmillError, asked: Asked | undefined, status?: number): string {
  return JSON.stringify(toProblem(error, asked?.url ?? ROOT, status));
}
