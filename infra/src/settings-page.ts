import { NUMBERS } from "./numbers.ts";

/** The page of the reference that lists every number. */
export function renderSettingsPage(): string {
  const rows = Object.entries(NUMBERS).map(
    ([name, { value, min, max, meaning }]) => `| \`${name}\` | ${value} | ${min} to ${max} | ${meaning} |`,
  );
  return `# Numbers of the stacks on AWS

Made from [infra/src/settings.ts](../../infra/src/settings.ts). Each can be set by \`reelmill deploy --set <name>=<value>\`, for
the CDK by itself by \`-c reelmill:<name>=<value>\`.

| name | default | allowed | is |
| --- | --- | --- | --- |
${rows.join("\n")}

| name | default | allowed | is |
| --- | --- | --- | --- |
| \`image_tag\` | 0.1.0 | a tag | what of the stack's own registry is run |
| \`alert_email\` | none | an address | takes alarms and news of the budget |
| \`workers_reach\` | endpoints | endpoints, internet | how workers get to AWS; see [what it costs while nothing runs](../guide/aws.md#what-it-costs-while-nothing-runs) |
| \`otlp_endpoint\` | none | an https address without port | the collector of [traces](../guide/observability.md#traces), or [X-Ray](../guide/observability.md#aws-x-ray) of the stacks' region, such as https://xray.eu-central-1.amazonaws.com |
| \`object_made_job\` | none | \`{"pipeline":…,"params":{…}}\`, as [\`OBJECT_MADE_JOB\`](configuration.md#functions-on-aws) | the job that is submitted for each upload; what its pipeline would not take is refused |
| \`webhook_secrets_arn\` | none | the whole ARN of a secret in Secrets Manager | holds [what webhooks are signed with](../guide/aws.md#secrets); where there is none jobs may name no webhook |
`;
}
