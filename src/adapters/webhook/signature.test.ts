import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { createSigner, createWebhookSecret } from "./signature.ts";

describe("createSigner", () => {
  it("gives the signature of the specification's own example", () => {
    const sign = createSigner(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    expect(sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000, '{"test": 2432232314}')).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("signs so that the holder of any secret can verify, and nobody else", () => {
    const [older, newer, other] = [createWebhookSecret(), createWebhookSecret(), createWebhookSecret()];
    const body = '{"name":"grüße"}';
    const headers = createSigner([newer, older])("an-id", Date.now(), body);
    expect(headers["webhook-signature"]).toMatch(/^v1,\S+ v1,\S+$/);
    expect(new Webhook(older).verify(body, headers)).toEqual({ name: "grüße" });
    expect(new Webhook(newer).verify(body, headers)).toEqual({ name: "grüße" });
    expect(() => new Webhook(other).verify(body, headers)).toThrow("No matching signature");
  });

  it.each([
    "",
    "whsec_",
    "whsec_c2hvcnQ=",
    "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    "whsec_not base64 not base64 not base64 not base64",
    `whsec_${Buffer.alloc(65).toString("base64")}`,
  ])("refuses the secret %j without telling it", (secret) => {
    let message = "";
    try {
      createSigner([createWebhookSecret(), secret]);
    } catch (error) {
      message = String(error);
      expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    }
    expect(message).toContain("number 2");
    if (secret.length > 6) expect(message).not.toContain(secret.slice(6));
  });

  it("does not send unsigned", () => {
    expect(() => createSigner([])).toThrow("always signed");
  });
});
