/** Settings of this system, of Node and of how Node takes memory, and whatever gives access to something. */
const WITHHELD = /^(AWS|DYNAMODB|MALLOC|NODE|OTEL|REELMILL|S3)_|CREDENTIAL|KEY|PASSWORD|SECRET|TOKEN|WEBHOOK/;

/**
 * What of `environment` programs are given that read recordings, which may be hostile: no secret, and nothing that was set for
 * the process that starts them.
 */
export function programEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !WITHHELD.test(name)));
}
