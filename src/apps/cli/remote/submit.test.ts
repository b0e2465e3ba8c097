import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type CannedServer,
  cannedJob,
  runAgainst,
  type SeenRequest,
  sendJson,
  sendProblem,
  startCannedServer,
} from "./canned-server.fixture.ts";

const LIST = { type: "array", items: { type: "string" } };
const PIPELINES = {
  pipelines: [
    {
      name: "repair",
      description: "",
      paramsSchema: {
        required: ["inputs"],
        properties: { inputs: LIST, references: LIST, verify: { type: "string" } },
        additionalProperties: false,
      },
      resultSchema: {},
      maxConcurrentTasks: 2,
      isPaused: false,
    },
    {
      name: "hls",
      description: "",
      paramsSchema: { required: ["input"], properties: { input: { type: "string" } }, additionalProperties: false },
      resultSchema: { properties: { playlist: { type: "string" } } },
      maxConcurrentTasks: 1,
      isPaused: false,
    },
  ],
};

/** More than one piece. */
const LARGE = randomBytes(17 * 1024 * 1024);

let server: CannedServer;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reelmill-submit-"));
});

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server?.close();
});

type Routes = Parameters<typeof startCannedServer>[0];

/** A tus server that keeps uploads in memory; `onPatch` may answer a piece in its stead. */
function tusRoutes(
  uploads: Buffer[],
  onPatch: (request: SeenRequest, response: ServerResponse) => boolean = () => false,
): Routes {
  const indexOf = ({ url }: SeenRequest): number => Number(url.split("/").at(-1));
  const lengths: number[] = [];
  const names: string[] = [];
  const keyOf = (index: number): string => encodeURIComponent(`uploads/${index}/${names[index]}`);
  return {
    "POST /v1/uploads": ({ headers }, response) => {
      names.push(
        Buffer.from(/^filename (\S+)/.exec(String(headers["upload-metadata"]))?.[1] ?? "", "base64").toString(),
      );
      lengths.push(Number(headers["upload-length"]));
      uploads.push(Buffer.alloc(0));
      const index = uploads.length - 1;
      response
        .writeHead(201, { location: `http://another.example/v1/uploads/${index}`, "upload-object-key": keyOf(index) })
        .end();
    },
    "PATCH /v1/uploads/*": (request, response) => {
      if (onPatch(request, response)) return undefined;
      const index = indexOf(request);
      if (Number(request.headers["upload-offset"]) !== uploads[index]?.length) {
        response.writeHead(409).end();
        return undefined;
      }
      uploads[index] = Buffer.concat([uploads[index] ?? Buffer.alloc(0), request.body]);
      response.writeHead(204, { "upload-offset": uploads[index]?.length ?? 0 }).end();
      return undefined;
    },
    "HEAD /v1/uploads/*": (request, response) => {
      const index = indexOf(request);
      response
        .writeHead(200, { "upload-offset": uploads[index]?.length ?? 0, "upload-length": lengths[index] ?? 0 })
        .end();
    },
    "DELETE /v1/uploads/*": (_request, response) => void response.writeHead(204).end(),
  };
}

const taking: Routes = {
  "GET /v1/pipelines": () => PIPELINES,
  "POST /v1/jobs": (_request, response) => sendJson(response, 201, cannedJob({ id: "j1", status: "queued" })),
};

function put(name: string, bytes: Uint8Array = Buffer.from("recording")): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

const requestsOf = (method: string): readonly string[] =>
  server.requests.filter((request) => request.method === method).map(({ url }) => url);

const submitted = (): unknown =>
  JSON.parse(String(server.requests.find(({ method, url }) => method === "POST" && url === "/v1/jobs")?.body));

describe("submit", () => {
  it("uploads files and references, whatever their names, and submits their keys", async () => {
    const uploads: Buffer[] = [];
    server = await startCannedServer({ ...taking, ...tusRoutes(uploads) });
    const args = [
      put("ü #1.mp4"),
      "--reference",
      put("ok.mp4"),
      "--param",
      "verify=full",
      "--param",
      "inputs=uploads/x/b.mp4",
    ];
    const more = ["--priority", "5", "--webhook", "https://a.example/"];
    const { exitCode, output } = await runAgainst(server, ["submit", "repair", ...args, ...more]);
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: "j1\n" });
    expect(uploads.map(String)).toEqual(["recording", "recording"]);
    expect(submitted()).toEqual({
      pipeline: "repair",
      params: { verify: "full", inputs: ["uploads/x/b.mp4", "uploads/0/ü #1.mp4"], references: ["uploads/1/ok.mp4"] },
      priority: 5,
      webhook: { url: "https://a.example/" },
    });
  });

  it("sends the idempotency key along, where it has made no job before", async () => {
    server = await startCannedServer({
      ...taking,
      ...tusRoutes([]),
      "GET /v1/jobs": () => ({ jobs: [], nextCursor: null }),
    });
    await runAgainst(server, ["submit", "repair", put("a.mp4"), "--idempotency-key", "k"]);
    expect(server.requests.at(-1)?.headers["idempotency-key"]).toBe("k");
  });

  it("goes on where a cut connection left an upload", async () => {
    const uploads: Buffer[] = [];
    let pieces = 0;
    const routes = tusRoutes(uploads, (request, response) => {
      pieces += 1;
      if (pieces !== 2) return false;
      // Half of the piece arrived before the connection was cut.
      uploads[0] = Buffer.concat([uploads[0] ?? Buffer.alloc(0), request.body.subarray(0, 1000)]);
      response.destroy();
      return true;
    });
    server = await startCannedServer({ ...taking, ...routes });
    const { exitCode, error } = await runAgainst(server, ["submit", "repair", put("a.mp4", LARGE)]);
    expect(exitCode).toBe(0);
    const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    expect(digest(uploads[0] ?? Buffer.alloc(0))).toBe(digest(LARGE));
    expect(requestsOf("HEAD")).toEqual(["/v1/uploads/0"]);
    expect(error).toContain("Trying again.");
  });

  it("waits while the server holds the upload locked, and gives up after a while", async () => {
    const routes = tusRoutes([], (_request, response) => {
      response.writeHead(423).end();
      return true;
    });
    server = await startCannedServer({ ...taking, ...routes });
    await expect(runAgainst(server, ["submit", "repair", put("a.mp4")])).rejects.toMatchObject({
      message: expect.stringContaining("status 423"),
    });
    expect(requestsOf("PATCH")).toHaveLength(9);
    expect(requestsOf("DELETE")).toEqual(["/v1/uploads/0"]);
  });

  it("does not submit a file that changed meanwhile", async () => {
    const path = put("a.mp4");
    const routes = tusRoutes([], () => {
      appendFileSync(path, "more");
      return false;
    });
    server = await startCannedServer({ ...taking, ...routes });
    await expect(runAgainst(server, ["submit", "repair", path])).rejects.toMatchObject({ code: "UPLOAD_CHANGED" });
    expect(requestsOf("POST")).toEqual(["/v1/uploads"]);
  });

  it("removes what it uploaded for a job that is refused", async () => {
    server = await startCannedServer({
      ...taking,
      ...tusRoutes([]),
      "POST /v1/jobs": (_request, response) => sendProblem(response, 400, "PARAMS_INVALID", "No."),
      "DELETE /v1/objects/uploads/0/a%20b.mp4": (_request, response) => void response.writeHead(204).end(),
    });
    await expect(runAgainst(server, ["submit", "repair", put("a b.mp4")])).rejects.toMatchObject({
      code: "PARAMS_INVALID",
    });
    expect(requestsOf("DELETE")).toEqual(["/v1/objects/uploads/0/a%20b.mp4"]);
  });

  it("follows the job that the key made before, and uploads nothing", async () => {
    const earlier = {
      id: "j0",
      status: "succeeded",
      params: { inputs: ["uploads/x/b.mp4", "uploads/7/a b.mp4"], references: ["uploads/8/ok.mp4"], verify: "full" },
    };
    server = await startCannedServer({
      ...taking,
      ...tusRoutes([]),
      "GET /v1/jobs": ({ url }) => ({
        jobs: url.includes("idempotencyKey=kk") ? [cannedJob(earlier)] : [],
        nextCursor: null,
      }),
      "GET /v1/jobs/j0": () => cannedJob(earlier),
      "HEAD /v1/objects/uploads/7/a%20b.mp4": (_request, response) =>
        void response.writeHead(200, { "content-length": 9 }).end(),
    });
    const args = [put("a b.mp4"), "-r", put("ok.mp4"), "-p", "verify=full", "-p", "inputs=uploads/x/b.mp4"];
    const submit = (...more: readonly string[]) =>
      runAgainst(server, ["submit", "repair", ...args, "--idempotency-key", "kk", ...more]);
    const { exitCode, output, error } = await submit();
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: "j0\n" });
    expect(error).toContain("nothing is uploaded");
    const others = [
      ["--priority", "5"],
      ["-p", "references=uploads/8/ok.mp4"],
      ["-r", put("c.mp4")],
      ["--webhook", "https://a.example/"],
    ];
    for (const other of others) await expect(submit(...other)).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
    put("a b.mp4", Buffer.from("longer than before"));
    await expect(submit()).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
    expect(requestsOf("POST")).toEqual([]);
  });

  it("removes what it has uploaded when it is cancelled", async () => {
    const stop = new AbortController();
    const routes = tusRoutes([], ({ url }, response) => {
      if (!url.endsWith("/1")) return false;
      stop.abort("SIGINT");
      response.destroy();
      return true;
    });
    server = await startCannedServer({ ...taking, ...routes });
    const args = ["submit", "repair", put("a.mp4"), "-r", put("ok.mp4")];
    await expect(runAgainst(server, args, { signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(requestsOf("DELETE")).toEqual(["/v1/uploads/1", "/v1/objects/uploads/0/a.mp4"]);
  });

  it.each([
    ["nothing to work on", ["repair", "-p", "verify=full"], "USAGE"],
    ["a key besides the file that takes its place", ["hls", "a.mp4", "-p", "input=uploads/1/b.mp4"], "USAGE"],
    ["a key with blanks", ["repair", "a.mp4", "--idempotency-key", "a b"], "USAGE"],
    ["an unknown pipeline", ["convert", "a.mp4"], "PIPELINE_UNKNOWN"],
    ["a file that is not there", ["repair", "a.mp4", "b.mp4"], "INPUT_NOT_FOUND"],
    ["an empty file", ["repair", "a.mp4", "empty.mp4"], "INPUT_EMPTY"],
    ["a folder", ["repair", "a.mp4", "folder"], "INPUT_IS_DIRECTORY"],
    ["an unknown param", ["repair", "a.mp4", "-p", "x=1"], "USAGE"],
    ["an output folder that is a file", ["repair", "a.mp4", "-o", "a.mp4"], "OUTPUT_EXISTS"],
    ["an output folder within a file", ["repair", "a.mp4", "-o", "a.mp4/out"], "OUTPUT_UNWRITABLE"],
    ["an output folder without a name", ["repair", "a.mp4", "-o", ""], "USAGE"],
    ["something in the folder of a package", ["hls", "a.mp4", "-o", "."], "OUTPUT_EXISTS"],
  ])("sends nothing where there is %s", async (_what, args, code) => {
    server = await startCannedServer({ ...taking, ...tusRoutes([]) });
    put("a.mp4");
    put("empty.mp4", new Uint8Array());
    mkdirSync(join(folder, "folder"));
    const placed = args.map((word) => (/\.mp4(\/out)?$|^folder$|^\.$/.test(word) ? join(folder, word) : word));
    await expect(runAgainst(server, ["submit", ...placed])).rejects.toMatchObject({ code });
    expect(requestsOf("POST")).toEqual([]);
  });
});

describe("submit -o", () => {
  const OBJECT = Buffer.from("mended ".repeat(1000));

  /** A job that ended at once with these outputs. */
  function ended(outputs: readonly (string | null)[], params: object = {}): Routes {
    const files = outputs.map((output) => ({
      input: "uploads/1/a.mp4",
      output,
      status: output === null ? "failed" : "repaired",
    }));
    const result = { schema: 1, files, summary: {} };
    const job = { ...cannedJob({ id: "j1", status: "succeeded", progress: 1, result }), params };
    return {
      ...taking,
      "GET /v1/jobs/j1/events": (_request, response) => {
        response
          .writeHead(200, { "content-type": "text/event-stream" })
          .write(`event: job\ndata: ${JSON.stringify(job)}\n\n`);
      },
      "GET /v1/jobs/j1/tasks": () => ({ tasks: [] }),
    };
  }

  const submit = (): ReturnType<typeof runAgainst> =>
    runAgainst(server, ["submit", "repair", "-p", "inputs=uploads/1/a.mp4", "-o", join(folder, "out")]);

  it("names a conversion by what was converted", async () => {
    const key = "outputs/j1/output.webm";
    server = await startCannedServer({
      ...ended([key], { input: "uploads/1/Holiday.2.mov", to: "vp9" }),
      [`GET /v1/objects/${key}`]: (_request, response) =>
        void response.writeHead(200, { "content-length": OBJECT.length }).end(OBJECT),
    });
    expect((await submit()).exitCode).toBe(0);
    expect(readdirSync(join(folder, "out"))).toEqual(["Holiday.2_vp9.webm"]);
  });

  it("follows the job and saves its outputs; a broken download goes on", async () => {
    server = await startCannedServer({
      ...ended(["outputs/j1/a.mp4", null, "outputs/j2/a.mp4"]),
      "GET /v1/objects/outputs/j1/a.mp4": ({ headers }, response) => {
        const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
        if (from === 0) {
          response.writeHead(200, { "content-length": OBJECT.length }).write(OBJECT.subarray(0, 3000));
          setTimeout(() => response.destroy(), 50);
          return;
        }
        const range = `bytes ${from}-${OBJECT.length - 1}/${OBJECT.length}`;
        response.writeHead(206, { "content-range": range }).end(OBJECT.subarray(from));
      },
      "GET /v1/objects/outputs/j2/a.mp4": (_request, response) =>
        void response.writeHead(200, { "content-length": OBJECT.length }).end(OBJECT),
    });
    const { exitCode, error } = await submit();
    expect(exitCode).toBe(0);
    expect(readdirSync(join(folder, "out")).sort()).toEqual(["a-2.mp4", "a.mp4"]);
    for (const name of ["a.mp4", "a-2.mp4"]) expect(readFileSync(join(folder, "out", name)).equals(OBJECT)).toBe(true);
    expect(server.requests.some(({ headers }) => headers.range === "bytes=3000-")).toBe(true);
    expect(error).toContain(`saved ${join(folder, "out", "a.mp4")}`);
  });

  it("writes nowhere else, whatever an output is called, and no name steers the terminal", async () => {
    server = await startCannedServer({
      ...ended(["outputs/j1/..\\..\\evil\u001b[2J.mp4", "outputs/j1/.bashrc"]),
      "GET /v1/objects/outputs/j1/*": (_request, response) =>
        void response.writeHead(200, { "content-length": 2 }).end("ok"),
    });
    const { error, output } = await submit();
    expect(readdirSync(folder)).toEqual(["out"]);
    expect(readdirSync(join(folder, "out")).sort()).toEqual(["__.._evil_[2J.mp4", "_bashrc"]);
    expect(error + output).not.toContain("\u001b");
  });

  it("refuses a key that leads out of the store", async () => {
    server = await startCannedServer(ended(["outputs/../../v1/jobs"]));
    await expect(submit()).rejects.toMatchObject({ code: "OBJECT_KEY_INVALID" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("never replaces a file, but saves under a free name and says so", async () => {
    server = await startCannedServer({
      ...ended(["outputs/j1/a.mp4"]),
      "GET /v1/objects/outputs/j1/a.mp4": (_request, response) =>
        void response.writeHead(200, { "content-length": OBJECT.length }).end(OBJECT),
    });
    mkdirSync(join(folder, "out"));
    for (const name of ["a.mp4", "a-2.mp4"]) writeFileSync(join(folder, "out", name), "mine");
    const { exitCode, error } = await submit();
    expect(exitCode).toBe(0);
    expect(error).toContain(`saved ${join(folder, "out", "a-3.mp4")}, because a.mp4 is there already`);
    expect(readdirSync(join(folder, "out")).sort()).toEqual(["a-2.mp4", "a-3.mp4", "a.mp4"]);
    for (const name of ["a.mp4", "a-2.mp4"]) expect(readFileSync(join(folder, "out", name), "utf8")).toBe("mine");
    expect(readFileSync(join(folder, "out", "a-3.mp4")).equals(OBJECT)).toBe(true);
  });

  describe("where it is a package", () => {
    const sendUrl = ({ url }: SeenRequest, response: ServerResponse): void =>
      void response.writeHead(200, { "content-length": url.length }).end(url);
    let isCut = false;
    const pages = [["main.m3u8", "360p/index.m3u8"], ["360p/media.mp4"]] as const;

    beforeEach(async () => {
      isCut = false;
      const routes = ended([]);
      const job = cannedJob({
        id: "j1",
        status: "succeeded",
        result: { playlist: "outputs/j1/main.m3u8", report: {} },
      });
      server = await startCannedServer({
        ...routes,
        "GET /v1/jobs/j1": () => job,
        "GET /v1/jobs/j1/events": (_request, response) =>
          void response
            .writeHead(200, { "content-type": "text/event-stream" })
            .write(`event: job\ndata: ${JSON.stringify(job)}\n\n`),
        "GET /v1/objects": ({ url }) => {
          const { searchParams } = new URL(url, "http://127.0.0.1");
          expect(searchParams.get("prefix")).toBe("outputs/j1/");
          const isSecond = searchParams.get("after") === "outputs/j1/360p/index.m3u8";
          const keys = pages[isSecond ? 1 : 0].map((name) => `outputs/j1/${name}`);
          const objects = [...keys, "outputs/j2/other"].map((key) => ({ key }));
          return { objects, nextAfter: isSecond ? null : "outputs/j1/360p/index.m3u8" };
        },
        "GET /v1/objects/outputs/j1/*": sendUrl,
        "GET /v1/objects/outputs/j1/360p/media.mp4": (request, response) =>
          isCut ? void response.destroy() : sendUrl(request, response),
        "GET /v1/objects/outputs/j1/360p/*": sendUrl,
      });
    });

    it("saves all of it as it lies on the server", async () => {
      const { exitCode, error } = await submit();
      expect(exitCode).toBe(0);
      const found = readdirSync(join(folder, "out"), { recursive: true }).map(String).sort();
      expect(found).toEqual(["360p", "360p/index.m3u8", "360p/media.mp4", "main.m3u8"]);
      expect(readFileSync(join(folder, "out", "360p", "media.mp4"), "utf8")).toBe(
        "/v1/objects/outputs/j1/360p/media.mp4",
      );
      expect(error).toContain("and what belongs to it, 3 files");
    });

    it("mixes it with nothing that is there", async () => {
      mkdirSync(join(folder, "out", "360p"), { recursive: true });
      writeFileSync(join(folder, "out", "360p", "media.mp4"), "mine");
      const address = `${server.address}/v1/objects/outputs/j1/main.m3u8`;
      await expect(submit()).rejects.toMatchObject({
        code: "OUTPUT_EXISTS",
        message: expect.stringContaining(`What the job j1 made is on the server: ${address}.`),
      });
      expect(readdirSync(join(folder, "out"))).toEqual(["360p"]);
    });

    it("leaves nothing of it where the last file is not to be had", async () => {
      isCut = true;
      await expect(submit()).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
      expect(readdirSync(folder)).toEqual([]);
    });
  });

  it("leaves nothing behind where the server never sends all of it", async () => {
    server = await startCannedServer({
      ...ended(["outputs/j1/a.mp4"]),
      "GET /v1/objects/outputs/j1/a.mp4": (_request, response) => void response.destroy(),
    });
    await expect(submit()).rejects.toMatchObject({ code: "SERVER_UNREACHABLE" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says that the job goes on where nobody follows it any longer, and has made no folder", async () => {
    const stop = new AbortController();
    server = await startCannedServer({
      ...taking,
      "GET /v1/jobs/j1/events": (_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
        stop.abort("SIGINT");
      },
    });
    const args = ["submit", "repair", "-p", "inputs=uploads/1/a.mp4", "-o", join(folder, "out")];
    await expect(runAgainst(server, args, { signal: stop.signal })).rejects.toMatchObject({
      code: "ABORTED",
      message: expect.stringContaining("the job j1 goes on on the server; `reelmill jobs cancel j1` stops it"),
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});
