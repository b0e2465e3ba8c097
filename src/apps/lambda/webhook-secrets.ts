import type { Environment } from "../../base/config-defaults.ts";
import { ReelmillError } from "../../base/errors.ts";
import { readWebhookSecretsArn } from "./lambda-settings.ts";

const VALUE = "REELMILL_WEBHOOK_SECRETS";
const REFERENCE = "WEBHOOK_SECRETS_ARN";

/**
 * The environment with REELMILL_WEBHOOK_SECRETS as the secret has it that WEBHOOK_SECRETS_ARN names; unchanged, and nothing loaded or asked, where it
 * names none. `endpoint` is that of Secrets Manager; undefined: AWS itself. Throws CONFIG_INVALID, STORE_REFUSED, STORE_UNAVAILABLE; no message tells
 * what the secret holds.
 */
export async function withWebhookSecrets(environment: Environment, endpoint: string | undefined): Promise<Environment> {
  const arn = readWebhookSecretsArn(environment);
  if (arn === undefined) return environment;
  if (environment[VALUE]) {
    throw new ReelmillError("CONFIG_INVALID", `${REFERENCE} and ${VALUE} are both set, but only one of them may be.`);
  }
  const { readSecretText } = await import("../../adapters/aws/secret-reader.ts");
  const text = (await readSecretText(arn, endpoint))?.trim();
  if (text) return { ...environment, [VALUE]: text };
  throw new ReelmillError("CONFIG_INVALID", `${REFERENCE}: ${arn} holds no text, but must hold what ${VALUE} takes.`);
}
