import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What AWS Batch was asked to run. */
export interface AskedContainer {
  readonly jobName: string;
  readonly jobQueue: string;
  readonly jobDefinition: string;
  readonly containerOverrides: {
    readonly command: readonly string[];
    readonly resourceRequirements?: readonly { readonly type: string; readonly value: string }[];
    readonly environment?: readonly { readonly name: string; readonly value: string }[];
  };
}

/** A stand-in for AWS Batch on loopback, which takes what is asked for and runs nothing. */
export interface FakeBatch {
  readonly endpoint: string;
  /** In their order; the first has the id `container-1`. */
  readonly asked: AskedContainer[];
  /** The status that it tells of a container, by its id; without one it knows none. */
  readonly statuses: Map<string, string>;
  /** Names that it refuses to run. */
  readonly refused: Set<string>;
  stop(): Promise<void>;
}

/** Starts it. */
export async function startFakeBatch(): Promise<FakeBatch> {
  const asked: AskedContainer[] = [];
  const statuses = new Map<string, string>();
  const refused = new Set<string>();
  const submit = (wanted: AskedContainer): readonly [number, object] => {
    if (refused.has(wanted.jobName)) return [400, { message: "no such job definition" }];
    const jobId = `container-${asked.push(wanted)}`;
    statuses.set(jobId, "RUNNABLE");
    return [200, { jobId, jobName: wanted.jobName }];
  };
  const describe = ({ jobs }: { readonly jobs: readonly string[] }): readonly [number, object] => {
    const known = jobs.filter((jobId) => statuses.has(jobId));
    return [
      200,
      { jobs: known.map((jobId) => ({ jobId, status: statuses.get(jobId), statusReason: "Host terminated" })) },
    ];
  };
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    const body = JSON.parse(text);
    const [status, answer] = request.url === "/v1/submitjob" ? submit(body) : describe(body);
    const type = status === 200 ? {} : { "x-amzn-errortype": "ClientException" };
    response.writeHead(status, { "content-type": "application/json", ...type }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, statuses, refused, stop };
}
