/** An https address whose certificate changes under the browser's eyes, as that of a network which reads along. */
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TRUSTED, UNTRUSTED } from "./certificate.js";

export interface SecureListener {
  readonly origin: string;
  /** How many connections the browser has refused for their certificate. */
  readonly refused: number;
  /** From the next connection on; those that are open are closed. */
  setTrusted(trusted: boolean): void;
  close(): Promise<void>;
}

export const listenSecurely = async (onRequest: RequestListener): Promise<SecureListener> => {
  let isTrusted = true;
  let refused = 0;
  const server = createServer(TRUSTED, onRequest);
  server.on("tlsClientError", () => {
    if (!isTrusted) refused++;
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get refused() {
      return refused;
    },
    setTrusted(trusted) {
      isTrusted = trusted;
      server.setSecureContext(trusted ? TRUSTED : UNTRUSTED);
      server.closeAllConnections();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
};
