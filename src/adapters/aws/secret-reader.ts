import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { asking, clientSettings } from "./connection.ts";

/**
 * The text that a secret of Secrets Manager holds, in its current version; undefined where it holds bytes. The region is the one that the ARN names;
 * `endpoint` undefined: AWS itself. Throws STORE_REFUSED, STORE_UNAVAILABLE.
 */
export async function readSecretText(arn: string, endpoint: string | undefined): Promise<string | undefined> {
  const [, , , region] = arn.split(":");
  const client = new SecretsManagerClient(clientSettings({ ...(region === undefined ? {} : { region }), endpoint }));
  try {
    const { SecretString: text } = await asking(arn, () => client.send(new GetSecretValueCommand({ SecretId: arn })));
    return text;
  } finally {
    client.destroy();
  }
}
