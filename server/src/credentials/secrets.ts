import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 random bits, as text. */
export const newSecret = (): string => randomBytes(32).toString("base64url");

/**
 * The form in which keys and tokens are stored. A fast hash is safe for them: 256 random bits cannot be guessed, so a slow
 * password hash would only cost time.
 */
export const hashSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");

export const isSameHash = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
