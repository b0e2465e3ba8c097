import { isSecretName } from "../base/secret-names.ts";

/** Settings of this system, of Node and of how memory is taken. */
const WITHHELD = /^(AWS|DYNAMODB|MALLOC|NODE|OTEL|REELMILL|S3)_/;

/**
 * What of `environment` programs are given that read recordings, which may be hostile: nothing that is named like a secret, and no setting of AWS, Node,
 * memory or telemetry.
 */
export function programEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !WITHHELD.test(name) && !isSecretName(name)),
  );
}
