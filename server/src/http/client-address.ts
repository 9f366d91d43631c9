import { isIP } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * The proxies whose word on where a request came from counts: how many stand in front of the service, or their addresses
 * and networks (`10.0.0.0/8`).
 */
export type TrustProxy = number | readonly string[];

/** What limits count a request by; undefined where the service is called without a server. */
export type AddressOf = (c: Context) => string | undefined;

/**
 * Tells clients apart by their addresses. `X-Forwarded-For` is read from its right end, where the nearest proxy wrote, and
 * only as far as the proxies are trusted: what stands left of that is whatever the client liked to send.
 *
 * @param onUntrusted called at the first `X-Forwarded-For` that is not looked at because no proxy is trusted
 */
export function addressReader(trustProxy: TrustProxy | undefined, onUntrusted: () => void): AddressOf {
  const isTrusted = trustOf(trustProxy ?? 0);
  let isTold = trustProxy !== undefined;
  return (c) => {
    let client = parse((c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress);
    const forwarded = c.req.header("x-forwarded-for");
    if (forwarded !== undefined && !isTold) {
      isTold = true;
      onUntrusted();
    }
    const hops = forwarded?.split(",") ?? [];
    for (let count = 0; client && isTrusted(client, count); count++) {
      // What is no address (`unknown`, a name) hides the client: it is counted with the proxy that passed it on.
      const next = parse(hops.pop());
      if (!next) break;
      client = next;
    }
    return client && networkOf(client);
  };
}

/** Whether an address is one of the proxies, by how many come before it. */
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

/** An address as sockets and proxies write it, maybe with a port. An IPv4 address in IPv6 is the IPv4 address. */
function parse(text: string | undefined): Address | undefined {
  const trimmed = text?.trim() ?? "";
  const [, bare = trimmed] = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed) ?? /^([\d.]+):\d+$/.exec(trimmed) ?? [];
  return isIP(bare) ? ipaddr.process(bare) : undefined;
}

/** The whole of an IPv4 address; of IPv6 the network, for anyone has 2^64 addresses in it. */
const networkOf = (address: Address): string =>
  address instanceof ipaddr.IPv4
    ? address.toString()
    : `${address.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(":")}::/64`;

/** A number of proxies, or their addresses and networks with commas between, as {@link TrustProxy} has them. */
export function readTrustProxy(text: string | undefined): TrustProxy | undefined {
  if (!text?.trim()) return undefined;
  if (/^\s*\d{1,2}\s*$/.test(text)) return Number(text);
  const networks = text.split(",").map((part) => part.trim());
  networks.forEach(parseNetwork);
  return networks;
}
