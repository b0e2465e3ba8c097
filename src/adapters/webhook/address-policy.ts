import { BlockList, isIP } from "node:net";

/** Whether a webhook may go to an IP address, given as text. */
export type IsAllowedAddress = (address: string) => boolean;

/** What no webhook goes to, private networks allowed or not: this host by its nameless address, metadata services, groups. */
const NEVER_IPV4 = [
  // "This network"; 0.0.0.0 reaches the machine itself.
  "0.0.0.0/8",
  // Link-local, where clouds put their metadata service.
  "169.254.0.0/16",
  // Metadata at Alibaba Cloud, Oracle Cloud, Azure.
  "100.100.100.200/32",
  "192.0.0.192/32",
  "168.63.129.16/32",
  // Multicast, reserved, broadcast.
  "224.0.0.0/4",
  "240.0.0.0/4",
] as const;

/** What is not the public internet besides (IANA IPv4 Special-Purpose Address Registry). */
const PRIVATE_IPV4 = [
  "10.0.0.0/8",
  // Carrier-grade NAT (RFC 6598).
  "100.64.0.0/10",
  "127.0.0.0/8",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  // 6to4 relays, deprecated.
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
] as const;

/** Prefixes of 96 bits with an IPv4 address behind them that counts: mapped (RFC 4291 §2.5.5.2), translated (RFC 6052). */
const EMBEDDING_PREFIXES = ["::ffff:", "64:ff9b::"] as const;

const NEVER_IPV6 = [
  "::/128",
  // Metadata services by their compatible address, at AWS, at Google Cloud.
  "::169.254.0.0/112",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
  // Addresses that hide an IPv4 address which cannot be checked: translated (two kinds), Teredo, 6to4.
  "::ffff:0:0:0/96",
  "64:ff9b:1::/48",
  "2001::/32",
  "2002::/16",
  // Link-local, multicast.
  "fe80::/10",
  "ff00::/8",
] as const;

/** All that may be public: global unicast (RFC 4291 §2.4), and what stands for an IPv4 address. */
const PUBLIC_IPV6 = ["2000::/3", "::ffff:0:0/96", "64:ff9b::/96"] as const;

/** Within global unicast, what is not (IANA IPv6 Special-Purpose Address Registry). */
const PRIVATE_IPV6 = ["2001::/23", "2001:db8::/32", "3fff::/20"] as const;

/**
 * The rule for addresses. Without private networks, only the public internet is allowed: everything else that the registries of
 * special addresses name is not, IPv6 addresses outside of global unicast neither. With them, all but metadata services, link-local,
 * multicast and nameless addresses. What is no IP address is never allowed.
 */
export function createAddressPolicy(options: { readonly allowPrivateNetworks: boolean }): IsAllowedAddress {
  const refused = listOf([...NEVER_IPV4, ...(options.allowPrivateNetworks ? [] : PRIVATE_IPV4)], NEVER_IPV6);
  const notPublic = listOf([], PRIVATE_IPV6);
  const mayBePublic = listOf([], PUBLIC_IPV6);
  return (address) => {
    switch (isIP(address)) {
      case 4:
        return !refused.check(address, "ipv4");
      case 6:
        if (refused.check(address, "ipv6")) return false;
        return (
          options.allowPrivateNetworks || (mayBePublic.check(address, "ipv6") && !notPublic.check(address, "ipv6"))
        );
      default:
        return false;
    }
  };
}

function listOf(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const [network, bits] of ipv4.map(splitPrefix)) {
    list.addSubnet(network, bits, "ipv4");
    for (const prefix of EMBEDDING_PREFIXES) list.addSubnet(`${prefix}${network}`, 96 + bits, "ipv6");
  }
  for (const [network, bits] of ipv6.map(splitPrefix)) list.addSubnet(network, bits, "ipv6");
  return list;
}

function splitPrefix(subnet: string): readonly [network: string, bits: number] {
  const [network = "", bits] = subnet.split("/");
  return [network, Number(bits)];
}
