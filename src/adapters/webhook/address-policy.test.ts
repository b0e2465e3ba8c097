import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressPolicy } from "./address-policy.ts";

const isPublic = createAddressPolicy({ allowPrivateNetworks: false });
const isAllowedInside = createAddressPolicy({ allowPrivateNetworks: true });

/** What only a sender that may reach private networks sends to. */
const PRIVATE = [
  "10.0.0.0",
  "10.255.255.255",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.255",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.7",
  "::1",
  "fc00::1",
  "fd12:3456:789a::1",
  // Site-local, deprecated.
  "fec0::1",
  // Discard-only, segment routing, and what is given to nobody.
  "100::1",
  "5f00::1",
  "4000::1",
  "2001:db8::1",
  "2001:2::1",
  "2001:20::1",
  "3fff::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "0:0:0:0:0:ffff:a00:1",
  "::ffff:192.168.1.1",
  "64:ff9b::127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::a00:1",
  "64:ff9b::100.64.0.1",
  // Compatible with IPv4, deprecated.
  "::127.0.0.1",
];

/** What nobody sends to. */
const NEVER = [
  "0.0.0.0",
  "0.1.2.3",
  "169.254.169.254",
  "169.254.0.1",
  "100.100.100.200",
  "192.0.0.192",
  "168.63.129.16",
  "224.0.0.1",
  "239.255.255.250",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "::ffff:0.0.0.0",
  "64:ff9b::169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::a9fe:a9fe",
  "::ffff:0:169.254.169.254",
  "::169.254.169.254",
  "2002:a9fe:a9fe::1",
  "2002:7f00:1::",
  "2002:808:808::1",
  "2001::1",
  "2001:0:a9fe:a9fe::1",
  "fd00:ec2::254",
  "fd00:0ec2:0:0:0:0:0:0254",
  "fd20:ce::254",
  "fe80::1",
  "fe80::1%eth0",
  "febf::1",
  "ff02::1",
  "ff0e::1",
  "",
  "localhost",
  "example.com",
  "127.1",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "8.8.8.8 ",
];

const PUBLIC = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.1",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2a00:1450:4001:800::200e",
  "2001:4860:4860::8888",
  "::ffff:8.8.8.8",
  "64:ff9b::8.8.8.8",
];

describe("createAddressPolicy", () => {
  it.each(PRIVATE)("keeps %s for those who allow private networks", (address) => {
    expect(isPublic(address)).toBe(false);
    expect(isAllowedInside(address)).toBe(true);
  });

  it.each(NEVER)("never allows %j", (address) => {
    expect(isPublic(address)).toBe(false);
    expect(isAllowedInside(address)).toBe(false);
  });

  it.each(PUBLIC)("allows %s", (address) => {
    expect(isPublic(address)).toBe(true);
    expect(isAllowedInside(address)).toBe(true);
  });

  it("judges mapped and translated addresses as the ones they hold", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        for (const prefix of ["::ffff:", "64:ff9b::"]) {
          expect(isPublic(`${prefix}${address}`)).toBe(isPublic(address));
          expect(isAllowedInside(`${prefix}${address}`)).toBe(isAllowedInside(address));
        }
      }),
    );
  });

  it("allows no IPv6 address outside of global unicast, whatever it is", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const first = Number.parseInt(new URL(`http://[${address}]/`).hostname.slice(1).split(":")[0] || "0", 16);
        const isEmbedding = /^\[(::ffff:|64:ff9b::)/.test(new URL(`http://[${address}]/`).hostname);
        if (first >> 13 !== 1 && !isEmbedding) expect(isPublic(address)).toBe(false);
      }),
    );
  });
});
