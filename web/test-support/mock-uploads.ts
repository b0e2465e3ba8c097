import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

interface Upload {
  readonly key: string;
  readonly bytes: number;
  offset: number;
  /** Of the newest request: what is left of those before, which a browser gave up, counts for nothing. */
  turn: number;
}

/** Uploads by the tus protocol (1.0.0) into nowhere. */
export interface MockUploads {
  /** Answers a request below /v1/uploads. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Keys of what arrived whole. */
  readonly listFinished: () => readonly string[];
  /** Whether a tenth of a second passes after each piece: tens of megabytes are then seen under way for a minute, however busy the machine is. */
  isSlow: boolean;
  /** Offsets at which PATCH requests went on. */
  readonly offsets: number[];
}

/** Creates the uploads of one mock server. */
export function createMockUploads(): MockUploads {
  const uploads = new Map<string, Upload>();
  const self: MockUploads = {
    isSlow: false,
    offsets: [],
    listFinished: () => [...uploads.values()].filter(({ offset, bytes }) => offset === bytes).map(({ key }) => key),
    handle: async (request, response) => {
      response.setHeader("Tus-Resumable", "1.0.0");
      if (request.method === "POST") return create(uploads, request, response);
      const upload = uploads.get((request.url ?? "").split("/").at(-1) ?? "");
      if (upload === undefined) return void response.writeHead(404).end();
      upload.turn++;
      response.setHeader("Upload-Object-Key", encodeURI(upload.key));
      if (request.method === "PATCH") await receive(self, upload, request);
      if (request.method === "DELETE") uploads.delete((request.url ?? "").split("/").at(-1) ?? "");
      response.setHeader("Upload-Offset", upload.offset);
      response.setHeader("Upload-Length", upload.bytes);
      response.writeHead(request.method === "HEAD" ? 200 : 204).end();
    },
  };
  return self;
}

function create(uploads: Map<string, Upload>, request: IncomingMessage, response: ServerResponse): void {
  const id = `u${uploads.size + 1}`;
  const [, encoded = ""] = /filename ([^,]*)/.exec(String(request.headers["upload-metadata"])) ?? [];
  const name = Buffer.from(encoded, "base64").toString("utf8");
  const key = `uploads/${id}/${name}`;
  uploads.set(id, { key, bytes: Number(request.headers["upload-length"]), offset: 0, turn: 0 });
  // Header values are Latin-1: the key comes escaped.
  response.setHeader("Upload-Object-Key", encodeURI(key));
  response.writeHead(201, { Location: `/v1/uploads/${id}` }).end();
}

async function receive(self: MockUploads, upload: Upload, request: IncomingMessage): Promise<void> {
  self.offsets.push(Number(request.headers["upload-offset"]));
  const { turn } = upload;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      if (upload.turn !== turn) return;
      upload.offset += piece.length;
      if (self.isSlow) await sleep(100);
    }
  } catch (error) {
    // The browser paused: what came so far is kept.
    if (!request.destroyed) throw error;
  }
}
