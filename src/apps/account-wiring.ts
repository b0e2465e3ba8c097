import type { AwsAccount } from "../adapters/aws/account.ts";
import type { ClientConfig } from "../base/config-defaults.ts";

/** Reaches for the account that the SDK's own chain names; loads the SDK, and asks of nothing yet. */
export async function openAccount(client: ClientConfig): Promise<AwsAccount> {
  const { createAwsAccount } = await import("../adapters/aws/account.ts");
  return createAwsAccount({ cloudFormation: client.cloudFormationEndpoint, ecr: client.ecrEndpoint });
}
