import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildApp } from "fauxqs";
import type { AwsPlace } from "../../src/adapters/aws/connection.ts";

/** What the tests of the AWS adapters talk to. */
export interface AwsUnderTest {
  readonly place: AwsPlace;
  stop(): Promise<void>;
}

/** Set where the tests are to go to another endpoint, with credentials in the environment as the SDK wants them. */
const ENDPOINT = process.env["REELMILL_TEST_AWS_ENDPOINT"] || undefined;

const REGION = process.env["AWS_REGION"] || "eu-central-1";

/** The emulators ask for some; what is set wins. */
function setCredentials(): void {
  process.env["AWS_ACCESS_KEY_ID"] ??= "test";
  process.env["AWS_SECRET_ACCESS_KEY"] ??= "test";
}

/** S3, SQS and SNS on a port of loopback, or at the endpoint that the environment names. */
export async function startStorage(): Promise<AwsUnderTest> {
  setCredentials();
  if (ENDPOINT !== undefined) return { place: { region: REGION, endpoint: ENDPOINT }, stop: async () => undefined };
  // Not `startFauxqs`, which listens at every address.
  const app = buildApp({ logger: false, defaultRegion: REGION });
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  return { place: { region: REGION, endpoint }, stop: () => app.close() };
}

/** A name that no other test has. */
export function uniqueName(): string {
  return `reelmill-test-${process.pid}-${process.hrtime.bigint()}`;
}

/** A folder that goes with `remove`. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "reelmill-aws-"));
  return { path, remove: () => rm(path, { recursive: true }) };
}
