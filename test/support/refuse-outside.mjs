/**
 * Refuses whatever leads away from this machine, in the process or thread that loads it. Plain JavaScript of little weight: every Node process that a test
 * starts reads it first, on whatever Node it is (20 or newer).
 */
import dgram from "node:dgram";
import dns from "node:dns";
import { appendFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

const LOOPBACK = /^(127(\.\d{1,3}){3}|0\.0\.0\.0|::1?|::ffff:127(\.\d{1,3}){3}|localhost)$/i;

/** The test runner's process keeps here what was refused; all others write it to the file that they are told of, a line for each. */
const KEPT = Symbol.for("reelmill.tests.refused");
const SET_UP = Symbol.for("reelmill.tests.guarded");
const report = new URL(import.meta.url).searchParams.get("report");

function check(host) {
  if (LOOPBACK.test(host)) return;
  const kept = globalThis[KEPT];
  if (kept !== undefined) kept.push(host);
  else if (report !== null) appendFileSync(report, `${host} by ${process.argv.slice(1).join(" ")}\n`);
  throw new Error(`A test tried to reach ${host}, which is not this machine.`);
}

/** A name is as good as the addresses that it is resolved to, by whatever the caller resolves it with. */
function checking(lookup) {
  return (name, options, done) =>
    lookup(name, options, (error, address, family) => {
      try {
        if (error === null || error === undefined) {
          for (const found of typeof address === "string" ? [address] : address) {
            check(typeof found === "string" ? found : found.address);
          }
        }
      } catch (outside) {
        done(outside, address, family);
        return;
      }
      done(error, address, family);
    });
}

/** The options of `connect` in whichever of its forms; Node itself hands them on as a list of options and listener. */
function optionsOf(args) {
  const [first, second] = args;
  if (Array.isArray(first)) return optionsOf(first);
  if (typeof first === "object" && first !== null) return first;
  const isPort = typeof first === "number" || /^\d+$/.test(String(first));
  return isPort ? { host: typeof second === "string" ? second : "localhost" } : { path: String(first) };
}

function guardSockets() {
  const { connect } = net.Socket.prototype;
  // Sockets of TLS are sockets of these, too.
  net.Socket.prototype.connect = function checked(...args) {
    const options = optionsOf(args);
    const { host = "localhost", path, lookup } = options;
    if (path === undefined || path === null) {
      if (net.isIP(host) !== 0) check(host);
      else if (lookup !== undefined) options.lookup = checking(lookup);
    }
    return connect.apply(this, args);
  };
}

/** No name but that of this machine is even asked for. */
function lookupOfHere(lookup) {
  return (host, ...rest) => {
    if (net.isIP(host) === 0) check(host);
    return lookup(host, ...rest);
  };
}

/** Sockets of UDP ask `lookup` of these options, or the system, only once they send. */
function guardDatagrams() {
  const { connect, send } = dgram.Socket.prototype;
  dgram.Socket.prototype.connect = function checked(port, address, ...rest) {
    if (typeof address === "string") check(address);
    return connect.call(this, port, address, ...rest);
  };
  dgram.Socket.prototype.send = function checked(...args) {
    // The message may be followed by where it begins and how long it is; then come port and address.
    const address = args.slice(1).find((argument) => typeof argument === "string");
    if (address !== undefined) check(address);
    return send.apply(this, args);
  };
}

/** Questions to servers of names, which lie elsewhere. */
function guardResolvers(resolver) {
  for (const name of Object.keys(resolver)) {
    if (!/^(resolve|reverse)/.test(name) || typeof resolver[name] !== "function") continue;
    resolver[name] = (host) => {
      check(`the servers of names, for ${host}`);
    };
  }
}

if (globalThis[SET_UP] === undefined) {
  globalThis[SET_UP] = true;
  guardSockets();
  guardDatagrams();
  guardResolvers(dns);
  guardResolvers(dns.promises);
  dns.lookup = Object.assign(lookupOfHere(dns.lookup), dns.lookup);
  dns.promises.lookup = lookupOfHere(dns.promises.lookup);
  syncBuiltinESMExports();
}
