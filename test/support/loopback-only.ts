import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import { afterEach, expect } from "vitest";

/*
 * No test may talk to anything but this machine: whatever tries fails at once, and so does its test, even where the failure is
 * swallowed. Where whoever runs the tests names an endpoint by REELMILL_TEST_AWS_ENDPOINT nothing is refused: it may have any address.
 */

const LOOPBACK = /^(127(\.\d{1,3}){3}|0\.0\.0\.0|::1?|::ffff:127(\.\d{1,3}){3}|localhost)$/i;

const KEPT = Symbol.for("reelmill.tests.refused");
/** This module runs again for each file of a process; the guard is set up once. */
const kept = globalThis as { [KEPT]?: string[] };
const isSetUp = kept[KEPT] !== undefined;
/** Names and addresses that were asked for in vain. */
kept[KEPT] ??= [];
const refused = kept[KEPT];

afterEach(() => {
  expect(refused.splice(0), "what lies outside this machine and was called by the test").toEqual([]);
});

const isOpen = Boolean(process.env["REELMILL_TEST_AWS_ENDPOINT"]);

function check(host: string): void {
  if (isOpen || LOOPBACK.test(host)) return;
  refused.push(host);
  throw new Error(`A test tried to reach ${host}, which is not this machine.`);
}

type Lookup = net.LookupFunction;

/** A name is as good as the addresses that it is resolved to, by whatever the caller resolves it with. */
function checking(lookup: Lookup): Lookup {
  return (name, options, done) =>
    lookup(name, options, (error, address, family) => {
      try {
        if (error === null || error === undefined) {
          for (const found of typeof address === "string" ? [address] : address) {
            check(typeof found === "string" ? found : found.address);
          }
        }
      } catch (outside) {
        done(outside as NodeJS.ErrnoException, address, family);
        return;
      }
      done(error, address, family);
    });
}

/** The options of `connect` in whichever of its forms; Node itself hands them on as a list of options and listener. */
function optionsOf(args: readonly unknown[]): Partial<net.TcpNetConnectOpts & net.IpcNetConnectOpts> {
  const [first, second] = args;
  if (Array.isArray(first)) return optionsOf(first);
  if (typeof first === "object" && first !== null) return first;
  const isPort = typeof first === "number" || /^\d+$/.test(String(first));
  return isPort ? { host: typeof second === "string" ? second : "localhost" } : { path: String(first) };
}

function guardSockets(): void {
  const { connect } = net.Socket.prototype;
  // Sockets of TLS are sockets of these, too.
  net.Socket.prototype.connect = function checked(this: net.Socket, ...args: Parameters<typeof connect>) {
    const options = optionsOf(args);
    const { host = "localhost", path, lookup } = options;
    if (path === undefined || path === null) {
      if (net.isIP(host) !== 0) check(host);
      else if (lookup !== undefined) options.lookup = checking(lookup);
    }
    return connect.apply(this, args);
  } as typeof connect;
}

/** No name but that of this machine is even asked for. */
function lookupOfHere<Function extends (host: string, ...rest: never[]) => unknown>(lookup: Function): Function {
  return ((host: string, ...rest: never[]) => {
    if (net.isIP(host) === 0) check(host);
    return lookup(host, ...rest);
  }) as Function;
}

if (!isSetUp) {
  guardSockets();
  dns.lookup = Object.assign(lookupOfHere(dns.lookup), dns.lookup);
  dns.promises.lookup = lookupOfHere(dns.promises.lookup);
  syncBuiltinESMExports();
}
