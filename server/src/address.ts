import type { Context } from "hono";
import type { HttpBindings } from "@hono/node-server";

/**
 * The address that a request came from, as far as it tells clients apart: of IPv6 the network, for anyone has 2^64
 * addresses in it. Undefined where the service is called without a server.
 */
export function addressOf(c: Context): string | undefined {
  const address = (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress;
  if (!address || address.includes(".")) return address;
  return address.split("::")[0]!.split(":").slice(0, 4).join(":");
}
