import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { ReelmillError } from "../../base/errors.ts";
import { createAddressPolicy, type IsAllowedAddress } from "./address-policy.ts";

/** An address that a host has. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** Gives all addresses of a host name; throws where there are none. */
export type ResolveHost = (hostname: string) => Promise<readonly HostAddress[]>;

/** The system's resolver. */
export const resolveHost: ResolveHost = async (hostname) => await lookup(hostname, { all: true, order: "verbatim" });

const MAX_URL_LENGTH = 2048;
const FIRST_USER_PORT = 1024;

/**
 * Reads a webhook's URL, as far as that goes without asking the network: http or https; neither user name nor password; port 80, 443 or
 * from 1024 on, with private networks any but 0; a host that, where it is an address in whatever notation, is allowed. To
 * be called when a URL is taken in; the sender checks again, and what the name stands for. Throws WEBHOOK_REFUSED.
 */
export function parseWebhookUrl(text: string, options: { readonly allowPrivateNetworks: boolean }): URL {
  return readTarget(text, undefined, options.allowPrivateNetworks, createAddressPolicy(options));
}

/** As `parseWebhookUrl`, by the policy given; `base` is the URL that redirected, from which https never leads to http. */
export function readTarget(
  text: string,
  base: URL | undefined,
  allowAllPorts: boolean,
  isAllowedAddress: IsAllowedAddress,
): URL {
  const url = text.length > MAX_URL_LENGTH ? null : URL.parse(text, base?.href);
  if (url === null) throw refused(`is not a URL of at most ${MAX_URL_LENGTH} characters`);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refused("must begin with http:// or https://");
  if (url.username !== "" || url.password !== "") throw refused("must hold no user name and no password");
  if (base?.protocol === "https:" && url.protocol === "http:") throw refused("redirects from https to http");
  const port = portOf(url);
  if (port === 0 || (!allowAllPorts && port !== 80 && port !== 443 && port < FIRST_USER_PORT)) {
    throw refused(`has the port ${port}; 80, 443 and those from ${FIRST_USER_PORT} to 65535 are allowed`);
  }
  const host = hostOf(url);
  if (isIP(host) !== 0 && !isAllowedAddress(host)) throw refusedAddress(host);
  return url;
}

/**
 * The addresses to connect to, each of them allowed; one that is not is reason enough to refuse them all, since it would be
 * chance which is taken. Throws WEBHOOK_REFUSED, and what `resolve` throws.
 */
export async function resolveTarget(
  url: URL,
  resolve: ResolveHost,
  isAllowedAddress: IsAllowedAddress,
): Promise<readonly HostAddress[]> {
  const host = hostOf(url);
  const family = isIP(host);
  const addresses = family === 0 ? await resolve(host) : [{ address: host, family }];
  if (!addresses.every(({ address }) => isAllowedAddress(address))) throw refusedNetwork();
  return addresses;
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

/** Says no more than the URL does by itself. */
function refusedAddress(address: string): ReelmillError {
  const isNever = !createAddressPolicy({ allowPrivateNetworks: true })(address);
  return refused(
    isNever
      ? "is link-local, a cloud's metadata service, multicast or reserved; webhooks never go there, private networks allowed or not"
      : "leads into a private or local network, which only REELMILL_WEBHOOK_PRIVATE_NETWORKS=true allows",
  );
}

/** Names no address: what a name stands for inside is not for those outside to learn. */
function refusedNetwork(): ReelmillError {
  return refused(
    "stands for an address that webhooks do not go to: private or local, which REELMILL_WEBHOOK_PRIVATE_NETWORKS=true allows, or link-local, multicast or reserved, which nothing does",
  );
}

function refused(why: string): ReelmillError {
  return new ReelmillError("WEBHOOK_REFUSED", `The webhook's address ${why}.`);
}
