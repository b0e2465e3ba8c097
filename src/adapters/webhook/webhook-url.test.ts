import { describe, expect, it } from "vitest";
import { createAddressPolicy } from "./address-policy.ts";
import { parseWebhookUrl, readTarget, resolveTarget } from "./webhook-url.ts";

const REFUSED = { code: "WEBHOOK_REFUSED", retryable: false };
const parse = (text: string, allowPrivateNetworks = false): URL => parseWebhookUrl(text, { allowPrivateNetworks });
const refusal = (text: string, allowPrivateNetworks = false): unknown => {
  try {
    return parse(text, allowPrivateNetworks).href;
  } catch (error) {
    return error;
  }
};

/** Ways to write this machine or a metadata service that a filter of texts would let pass. */
const DISGUISES = [
  "http://127.0.0.1/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f000001/",
  "http://0x7f.1/",
  "http://0177.0.0.1/",
  "http://017700000001/",
  "http://127.0.0.1./",
  "http://①②⑦.⓪.⓪.①/",
  "http://127。0。0。1/",
  "http://%31%32%37.0.0.1/",
  "http://0/",
  "http://2852039166/",
  "http://0xa9fea9fe/",
  "http://0251.0376.0251.0376/",
  "http://[::1]/",
  "http://[0:0:0:0:0:0:0:1]/",
  "http://[::]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:7f00:1]/",
  "http://[::ffff:169.254.169.254]/",
  "http://[64:ff9b::169.254.169.254]/",
  "http://[2002:7f00:1::]/",
  "http://[fd00:ec2::254]/",
  "http://[fe80::1]/",
  "http://10.0.0.1:8080/hook",
];

const NO_WEBHOOKS = [
  "",
  "example.com/hook",
  "/hook",
  "//example.com/hook",
  "ftp://example.com/",
  "file:///etc/passwd",
  "gopher://example.com/",
  "javascript:alert(1)",
  "data:text/plain,x",
  "http://",
  "http://user@example.com/",
  "https://user:secret@example.com/",
  "https://:secret@example.com/",
  "http://[fe80::1%25eth0]/",
  "http://exa mple.com/",
  "http://example.com:0/",
  "http://example.com:65536/",
  `https://example.com/${"x".repeat(2048)}`,
];

describe("parseWebhookUrl", () => {
  it.each(DISGUISES)("sees through %s", (text) => {
    expect(refusal(text)).toMatchObject(REFUSED);
  });

  it.each(NO_WEBHOOKS)("refuses %s, private networks or not", (text) => {
    expect(refusal(text)).toMatchObject(REFUSED);
    expect(refusal(text, true)).toMatchObject(REFUSED);
    expect(String(refusal(text))).not.toContain("secret");
  });

  it("bounds the port where the network is not one's own", () => {
    for (const port of [1, 22, 25, 81, 445, 1023]) {
      expect(refusal(`http://example.com:${port}/`)).toMatchObject(REFUSED);
      expect(refusal(`http://example.com:${port}/`, true)).toBe(`http://example.com:${port}/`);
    }
    for (const port of [1024, 8443, 65_535]) expect(refusal(`http://example.com:${port}/`)).toContain(String(port));
    expect(parse("http://example.com:443/").port).toBe("443");
    expect(parse("https://example.com:80/").port).toBe("80");
  });

  it("takes what a webhook usually is", () => {
    const url = "https://hooks.example.com/services/T0/B0/token?x=1";
    expect(parse(url).href).toBe(url);
    expect(parse("http://8.8.8.8/").hostname).toBe("8.8.8.8");
    expect(parse("http://127.0.0.1:9/", true).port).toBe("9");
  });

  it("says which setting allows a private network", () => {
    for (const host of ["127.0.0.1", "10.1.2.3", "[fd00::1]"]) {
      expect(String(refusal(`http://${host}/`))).toContain("REELMILL_WEBHOOK_PRIVATE_NETWORKS=true");
    }
  });

  it("never takes a metadata service, and says so", () => {
    for (const host of ["169.254.169.254", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]"]) {
      for (const isPrivateAllowed of [false, true]) {
        const refused = refusal(`http://${host}/latest/meta-data/`, isPrivateAllowed);
        expect(refused).toMatchObject(REFUSED);
        expect(String(refused)).toContain("never go there");
      }
    }
  });
});

describe("readTarget", () => {
  const isAllowed = createAddressPolicy({ allowPrivateNetworks: false });

  it("reads where a redirect leads, which is never from https to http", () => {
    const base = new URL("https://example.com/a/b");
    expect(readTarget("../c", base, false, isAllowed).href).toBe("https://example.com/c");
    expect(readTarget("//other.example/x", base, false, isAllowed).href).toBe("https://other.example/x");
    expect(() => readTarget("http://example.com/", base, false, isAllowed)).toThrow("from https to http");
    expect(() => readTarget("//127.0.0.1/", base, false, isAllowed)).toThrow("private");
  });
});

describe("resolveTarget", () => {
  const isAllowed = createAddressPolicy({ allowPrivateNetworks: false });
  const resolved = (...addresses: readonly string[]): Promise<unknown> => {
    const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    return resolveTarget(new URL("http://example.com/"), () => Promise.resolve(found), isAllowed);
  };

  it("refuses a name of which any address is refused, and does not say which", async () => {
    await expect(resolved("8.8.8.8", "2606:4700::1")).resolves.toHaveLength(2);
    for (const hidden of ["10.1.2.3", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.1.2.3", "fe80::1%2"]) {
      const refusing = resolved("8.8.8.8", hidden, "2606:4700::1");
      await expect(refusing).rejects.toMatchObject(REFUSED);
      await expect(refusing).rejects.not.toThrow(hidden);
    }
  });

  it("asks no resolver for an address", async () => {
    const url = new URL("http://[2606:4700::1]/");
    const unasked = (): never => {
      throw new Error("asked");
    };
    expect(await resolveTarget(url, unasked, isAllowed)).toEqual([{ address: "2606:4700::1", family: 6 }]);
  });
});
