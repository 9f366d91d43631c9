import { Problem } from "./problem.js";

/** What a request costs in memory beside its body, so that a flood of empty requests is bounded too. */
export const REQUEST_BYTES = 4 * 1024;

/** Takes so many bytes more for a request; throws where there is no room for them. */
export type TakeBytes = (bytes: number) => void;

const RETRY_SOON = { "Retry-After": "1" };

/**
 * Bounds the memory that requests hold while they are received, wait for their turn and are worked on. Bytes are taken
 * before they are received and given back when the work has ended.
 *
 * @returns what runs such work; a 429 where `perAddress` bytes of the address are in flight, a 503 where `total` are
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
    work: (take: TakeBytes) => Promise<Result>,
  ): Promise<Result> => {
    let held = 0;
    const take: TakeBytes = (bytes) => {
      if (address !== undefined && (byAddress.get(address) ?? 0) + bytes > perAddress)
        throw new Problem(4290, "too many bytes of this address are in flight", RETRY_SOON);
      if (all + bytes > total) throw new Problem(5031, "too many bytes are in flight", RETRY_SOON);
      add(address, bytes);
      held += bytes;
    };
    try {
      take(REQUEST_BYTES);
      return await work(take);
    } finally {
      add(address, -held);
    }
  };
}
