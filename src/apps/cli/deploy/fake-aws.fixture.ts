import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { vi } from "vitest";

/** What a fake account has; changed by tests. */
export interface FakeAccount {
  /** Outputs of each stack. */
  readonly stacks: Map<string, Readonly<Record<string, string>>>;
  /** Tags in the registry. */
  readonly images: Set<string>;
  /** Actions that were asked for, in order. */
  readonly asked: string[];
  /** Where it is. */
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/** The password that the fake registry gives. */
export const REGISTRY_PASSWORD = "5ecret-of-the-registry";

/** CloudFormation (Query, XML) and ECR (JSON 1.1) on loopback, as far as `AwsAccount` asks; `before` is called ahead of each answer. */
export async function startFakeAccount(before: (account: FakeAccount) => void = () => undefined): Promise<FakeAccount> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    before(account);
    const target = String(request.headers["x-amz-target"] ?? "");
    if (target === "") {
      const { status, text } = answerCloudFormation(account, new URLSearchParams(body));
      response.writeHead(status, { "content-type": "text/xml" }).end(text);
      return;
    }
    const action = target.slice(target.indexOf(".") + 1);
    account.asked.push(action);
    const { status, answer } = answerEcr(account, action, JSON.parse(body));
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const account: FakeAccount = {
    stacks: new Map(),
    images: new Set(),
    asked: [],
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return account;
}

function answerCloudFormation(account: FakeAccount, form: URLSearchParams) {
  account.asked.push(form.get("Action") ?? "");
  const name = form.get("StackName") ?? "";
  const outputs = account.stacks.get(name);
  if (outputs === undefined) {
    const message = `Stack with id ${name} does not exist`;
    const text = `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
    return { status: 400, text };
  }
  const members = Object.entries(outputs)
    .map(([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`)
    .join("");
  const stack = `<StackName>${name}</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-31T12:00:00Z</CreationTime><Outputs>${members}</Outputs>`;
  const text = `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>${stack}</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
  return { status: 200, text };
}

function answerEcr(account: FakeAccount, action: string, body: { readonly imageIds?: { imageTag: string }[] }) {
  if (action === "GetAuthorizationToken") {
    const authorizationToken = Buffer.from(`AWS:${REGISTRY_PASSWORD}`).toString("base64");
    return { status: 200, answer: { authorizationData: [{ authorizationToken }] } };
  }
  const [image] = body.imageIds ?? [];
  if (image !== undefined && account.images.has(image.imageTag)) {
    return { status: 200, answer: { imageDetails: [{ imageTags: [image.imageTag] }] } };
  }
  return { status: 400, answer: { __type: "ImageNotFoundException", message: "no such image" } };
}

/** Gives the SDK credentials and a region by the environment, and no other place to look for any; `vi.unstubAllEnvs` takes them back. */
export function stubCredentials(): void {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  for (const name of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) vi.stubEnv(name, "/dev/null");
  for (const name of ["AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"]) vi.stubEnv(name, undefined);
}
