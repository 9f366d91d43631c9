import { Problem } from "./problem.js";

/** What a request costs in memory beside its body, so that a flood of empty requests is bounded too. */
export const REQUEST_BYTES = 4 * 1024;

/** Reserves more bytes for a request; throws a 429 or 503 if they exceed a limit. */
export type ReserveBytes = (bytes: number) => void;

const RETRY_SOON = { "Retry-After": "1" };

/**
 * Bounds the memory of requests that are being received, queued or processed. Bytes are reserved before they are received
 * and released when the work settles.
 *
 * @returns a function that runs such work. It throws a 429 beyond `perAddress` bytes of an address, a 503 beyond `total`
 */
export function limitBytesInFlight(total: number, perAddress: number) {
  let all = 0;
  const byAddress = new Map<string, number>();
  const add = (address: string | undefined, bytes: number): void => {
    all += bytes;
    if (address === undefined) return;
    const held = (byAddress.get(address) ?? 0) + bytes;
    if (held) byAddress.set(address, held);
    else byAddress.delete(address);
  };
  return async <Result>(
    address: string | undefined,
    work: (reserve: ReserveBytes) => Promise<Result>,
  ): Promise<Result> => {
    let held = 0;
    const reserve: ReserveBytes = (bytes) => {
      if (address !== undefined && (byAddress.get(address) ?? 0) + bytes > perAddress)
        throw new Problem(4290, "too many bytes of this address are in flight", RETRY_SOON);
      if (all + bytes > total) throw new Problem(5031, "too many bytes are in flight", RETRY_SOON);
      add(address, bytes);
      held += bytes;
    };
    try {
      reserve(REQUEST_BYTES);
      return await work(reserve);
    } finally {
      add(address, -held);
    }
  };
}
