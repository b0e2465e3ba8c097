import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { pipelineRepair } from "./edge.fixture.ts";

/** A stand-in for the batch API and its store, on this machine; its jobs are done by the pipeline itself. */
export interface StandIn {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Every request, in order, as `METHOD /path`; presigned ones as `STORE METHOD`. */
  readonly seen: readonly string[];
  /** What came with requests to the store. */
  readonly storeHeaders: readonly IncomingHttpHeaders[];
  /** Bodies of `POST /submit-batch`. */
  readonly submitted: readonly Readonly<Record<string, unknown>>[];
  /** Answers the next requests of that name instead of doing what they ask. */
  readonly upset: (name: string, ...answers: readonly ((response: ServerResponse) => void)[]) => void;
  /** Ends jobs in another way. */
  jobStatus: "COMPLETED" | "FAILED" | "RUNNING";
  close(): Promise<void>;
}

type Handle = (request: IncomingMessage, response: ServerResponse, body: Buffer) => Promise<void> | void;

async function listen(handle: Handle): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    await handle(request, response, Buffer.concat(pieces));
  });
  await new Promise<void>((settle) => {
    server.listen(0, "127.0.0.1", settle);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** Starts both servers; what is stored goes into a folder below `parent`. */
export async function startStandIn(parent: string): Promise<StandIn> {
  const folder = mkdtempSync(join(parent, "store-"));
  const apiKey = "k3y-of-the-test";
  const seen: string[] = [];
  const storeHeaders: IncomingHttpHeaders[] = [];
  const submitted: Readonly<Record<string, unknown>>[] = [];
  const upsets = new Map<string, ((response: ServerResponse) => void)[]>();
  const isUpset = (name: string, response: ServerResponse): boolean => {
    seen.push(name);
    const answer = upsets.get(name)?.shift();
    answer?.(response);
    return answer !== undefined;
  };
  const store = await listen((request, response, body) => {
    const path = join(folder, decodeURIComponent(new URL(request.url ?? "", "http://x").pathname));
    storeHeaders.push(request.headers);
    if (isUpset(`STORE ${request.method}`, response)) return;
    if (request.method === "PUT") {
      mkdirSync(dirname(path), { recursive: true });
      const part = new URL(request.url ?? "", "http://x").searchParams.get("part");
      writeFileSync(part === null ? path : `${path}.${part}`, body);
      response.setHeader("etag", `"${part}"`).end();
      return;
    }
    response.setHeader("content-length", statSync(path).size);
    createReadStream(path).pipe(response);
  });
  const work = async (prefix: string, reference: string): Promise<void> => {
    const inputs = readdirSync(join(folder, prefix)).filter((name) => name !== reference);
    mkdirSync(join(folder, "out", prefix), { recursive: true });
    for (const name of inputs) {
      await pipelineRepair.repair({
        key: "",
        onJob: () => undefined,
        input: join(folder, prefix, name),
        references: [join(folder, prefix, reference)],
        outputFolder: join(folder, "out", prefix),
        signal: new AbortController().signal,
        onProgress: () => undefined,
      });
    }
  };
  const api = await listen(async (request, response, body) => {
    const name = `${request.method} ${request.url}`;
    if (isUpset(name, response)) return;
    if (request.headers["x-api-key"] !== apiKey) return answerJson(response, 401, { error: "wrong key" });
    const asked = body.length === 0 ? {} : JSON.parse(body.toString("utf8"));
    if (name === "POST /prod/upload-url" || name === "POST /prod/download-url") {
      return answerJson(response, 200, { url: `${store.url}/${encodeURI(asked.key)}?signature=s3cret` });
    }
    if (name === "POST /prod/upload-part-url") {
      const query = `signature=s3cret&part=${asked.part_number}`;
      return answerJson(response, 200, { url: `${store.url}/${encodeURI(asked.key)}?${query}` });
    }
    if (name === "POST /prod/complete-upload") {
      const path = join(folder, asked.key);
      const parts = asked.etags.map((etag: string) => readFileSync(`${path}.${JSON.parse(etag)}`));
      writeFileSync(path, Buffer.concat(parts));
      for (const number of parts.keys()) rmSync(`${path}.${number + 1}`);
      return answerJson(response, 200, { key: asked.key });
    }
    if (name === "POST /prod/submit-batch") {
      submitted.push(asked);
      await work(asked.input_prefix, asked.reference_key.split("/").at(-1));
      return answerJson(response, 202, { message: "Batch repair job submitted", job_id: "untrunc-a1b2c3d4e5f6" });
    }
    const { jobStatus } = standIn;
    const prefix = submitted[0]?.["input_prefix"];
    answerJson(response, 200, {
      status: jobStatus,
      message: "said the stand-in",
      output_prefix: `out/${prefix}`,
      success_files: jobStatus === "COMPLETED" ? [`${prefix}/damaged.mp4`] : [],
    });
  });
  const standIn: StandIn = {
    baseUrl: `${api.url}/prod/`,
    apiKey,
    seen,
    storeHeaders,
    submitted,
    upset: (name, ...answers) => upsets.set(name, [...answers]),
    jobStatus: "COMPLETED",
    close: async () => {
      for (const { server } of [api, store]) {
        server.closeAllConnections();
        await new Promise((settle) => server.close(settle));
      }
    },
  };
  return standIn;
}
