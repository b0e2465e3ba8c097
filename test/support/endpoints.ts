/** Services that suites can be run against. */
type TestedService = "s3" | "sqs" | "sns" | "dynamodb";

/** Where the service is that the suites are to be run against, with credentials in the environment as the SDK wants them; undefined: an emulator on loopback. */
export function endpointUnderTest(service: TestedService): string | undefined {
  const own = process.env[`REELMILL_TEST_${service.toUpperCase()}_ENDPOINT`];
  return own || process.env["REELMILL_TEST_AWS_ENDPOINT"] || undefined;
}

/** Whether any service is another than the emulator. */
export function hasEndpoints(): boolean {
  return (["s3", "sqs", "sns", "dynamodb"] as const).some((service) => endpointUnderTest(service) !== undefined);
}
