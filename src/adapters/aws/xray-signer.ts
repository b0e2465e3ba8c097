import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Clock } from "../../base/clock.ts";
import { ReelmillError } from "../../base/errors.ts";
import { printableLine } from "../../base/printable.ts";
import { XRAY_ACTIONS } from "../../base/xray-endpoint.ts";
import type { RequestSigner } from "../telemetry/collector.ts";

/** Signs by Signature Version 4 for X-Ray of the region; credentials are looked for at the first request, by the SDK's own chain, and again when they end. */
export function createXraySigner(region: string, clock: Clock): RequestSigner {
  const signature = new SignatureV4({ service: "xray", region, credentials: defaultProvider(), sha256: Sha256 });
  return {
    sign: async ({ url, headers, body }) => {
      const { protocol, hostname, host, pathname: path, searchParams } = new URL(url);
      const query = Object.fromEntries(searchParams);
      const request = { method: "POST", protocol, hostname, path, query, headers: { ...headers, host }, body };
      try {
        const signed = await signature.sign(request, { signingDate: new Date(clock.nowMs()) });
        return signed.headers;
      } catch (cause) {
        throw unsigned(region, cause);
      }
    },
    advice: `The credentials in use must be valid and allow ${XRAY_ACTIONS.join(", ")}, and traces of the account must go to CloudWatch Logs in ${region} (Transaction Search).`,
  };
}

/** That there are none may change, as where a session has to be opened anew: spans are kept. */
function unsigned(region: string, cause: unknown): ReelmillError {
  const because = cause instanceof Error ? printableLine(cause.message.slice(0, 300)) : String(cause);
  const message = `Requests to X-Ray in ${region} cannot be signed, for want of credentials of AWS (${because}). Give the process a role, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;
  return new ReelmillError("STORE_UNAVAILABLE", message, { cause });
}
