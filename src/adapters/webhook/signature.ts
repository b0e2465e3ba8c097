import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { ReelmillError } from "../../base/errors.ts";

/** Makes the headers that prove who sent a body, and when (Standard Webhooks). */
export type SignWebhook = (id: string, nowMs: number, body: string) => Readonly<Record<string, string>>;

const SECRET_PREFIX = "whsec_";
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;
const NEW_SECRET_BYTES = 32;

/** A new secret, as `createSigner` takes them and receivers are to be given. */
export function createWebhookSecret(): string {
  return `${SECRET_PREFIX}${randomBytes(NEW_SECRET_BYTES).toString("base64")}`;
}

/**
 * Signs with every secret, the first one first, so that a receiver may hold any of them while they are being changed. A secret is
 * `whsec_` and 24 to 64 bytes in Base64. Throws CONFIG_INVALID where there is none, or one that is not such.
 */
export function createSigner(secrets: readonly string[]): SignWebhook {
  if (secrets.length === 0) throw new ReelmillError("CONFIG_INVALID", "Webhooks are always signed: give a secret.");
  const signers = secrets.map((secret, index) => new Webhook(requireSecret(secret, index)));
  return (id, nowMs, body) => {
    const at = new Date(nowMs);
    return {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(nowMs / 1000)),
      "webhook-signature": signers.map((signer) => signer.sign(id, at, body)).join(" "),
    };
  };
}

function requireSecret(secret: string, index: number): string {
  const encoded = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : "";
  const bytes = Buffer.from(encoded, "base64");
  const isWhole = bytes.toString("base64") === encoded;
  if (!isWhole || bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES) {
    const allowed = `${SECRET_PREFIX} and ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes in Base64`;
    throw new ReelmillError("CONFIG_INVALID", `The webhook secret number ${index + 1} must be ${allowed}.`);
  }
  return secret;
}
