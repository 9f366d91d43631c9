import { isIP } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * The proxies whose `X-Forwarded-For` is trusted: the number of proxies in front of the service, or their addresses and
 * networks (`10.0.0.0/8`).
 */
export type TrustProxy = number | readonly string[];

/** Returns the address by which limits count a request; undefined if the service is called without an HTTP server. */
export type AddressOf = (c: Context) => string | undefined;

/**
 * Finds the addresses of clients. `X-Forwarded-For` is read from its right end, where the nearest proxy appended, and only
 * through trusted proxies: a client can send anything to the left of that.
 *
 * @param onUntrusted called at the first `X-Forwarded-For` that is ignored because no proxy is trusted
 */
export function addressReader(trustProxy: TrustProxy | undefined, onUntrusted: () => void): AddressOf {
  const isTrusted = trustOf(trustProxy ?? 0);
  let hasWarned = trustProxy !== undefined;
  return (c) => {
    let client = parse((c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress);
    const forwarded = c.req.header("x-forwarded-for");
    if (forwarded !== undefined && !hasWarned) {
      hasWarned = true;
      onUntrusted();
    }
    const hops = forwarded?.split(",") ?? [];
    for (let count = 0; client && isTrusted(client, count); count++) {
      // A client without an address (`unknown`, a name) is counted by the proxy that forwarded it.
      const next = parse(hops.pop());
      if (!next) break;
      client = next;
    }
    return client && networkOf(client);
  };
}

/** Returns whether an address belongs to a trusted proxy; `count` is the number of proxies before it. */
function trustOf(trustProxy: TrustProxy): (address: Address, count: number) => boolean {
  if (typeof trustProxy === "number") return (_, count) => count < trustProxy;
  const networks = trustProxy.map(parseNetwork);
  return (address) =>
    networks.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits));
}

function parseNetwork(text: string): [Address, number] {
  const [first = "", bits, ...rest] = text.trim().split("/");
  const address = parse(first);
  const most = address?.kind() === "ipv4" ? 32 : 128;
  const isRight = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (!address || !isRight || rest.length)
    throw new Error(`“${text}” is no address and no network of addresses`);
  return [address, bits === undefined ? most : Number(bits)];
}

/** Parses an address of a socket or a proxy, with or without a port. An IPv4-mapped IPv6 address becomes IPv4. */
function parse(text: string | undefined): Address | undefined {
  const trimmed = text?.trim() ?? "";
  const [, bare = trimmed] = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed) ?? /^([\d.]+):\d+$/.exec(trimmed) ?? [];
  return isIP(bare) ? ipaddr.process(bare) : undefined;
}

/** The whole IPv4 address, or the /64 network of an IPv6 address, because one client has all 2^64 addresses of it. */
const networkOf = (address: Address): string =>
  address instanceof ipaddr.IPv4
    ? address.toString()
    : `${address.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(":")}::/64`;

/** Parses a number of proxies, or a comma-separated list of addresses and networks. */
export function readTrustProxy(text: string | undefined): TrustProxy | undefined {
  if (!text?.trim()) return undefined;
  if (/^\s*\d{1,2}\s*$/.test(text)) return Number(text);
  const networks = text.split(",").map((part) => part.trim());
  networks.forEach(parseNetwork);
  return networks;
}
