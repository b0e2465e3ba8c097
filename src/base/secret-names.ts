const TELLING = /CREDENTIAL|KEY|PASSWORD|SECRET|TOKEN|WEBHOOK|^OTEL_.*HEADERS$/;
/** Settings that are named like one and give access to nothing. */
const HARMLESS: ReadonlySet<string> = new Set([
  "REELMILL_HLS_KEY_FOLDER",
  "REELMILL_SECRETS_ENDPOINT",
  "REELMILL_WEBHOOK_PRIVATE_NETWORKS",
]);

/** Whether a variable of the environment, Reelmill's own or not, is named like one that gives access to something. */
export function isSecretName(name: string): boolean {
  return TELLING.test(name) && !HARMLESS.has(name);
}
