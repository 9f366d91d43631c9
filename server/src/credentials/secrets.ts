import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 random bits, as text. */
export const newSecret = (): string => randomBytes(32).toString("base64url");

/**
 * How keys and tokens are kept. A plain hash is right for them: nothing with 256 random bits can be guessed, and a slow
 * hash would only slow the service down.
 */
export const hashSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");

export const isSameHash = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
