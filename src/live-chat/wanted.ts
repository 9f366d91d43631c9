/**
 * The session that the widgets of all tabs ask for. Every tab writes it; the transitions are idempotent, because each tab's
 * widget reports the same change.
 */
export interface Wanted {
  /** Counts the sign-outs and changes of person. A session that was granted for an earlier count is over. */
  epoch: number;
  isStarted: boolean;
  /** Who has signed in, as the site names them; `null` before. */
  userId: string | null;
}

export const NOTHING_WANTED: Wanted = { epoch: 0, isStarted: false, userId: null };

export const withChatStarted = (wanted: Wanted): Wanted =>
  wanted.isStarted ? wanted : { ...wanted, isStarted: true };

/** Another person than the one signed in begins anew: what is granted to one must not be used by the other. */
export const withUser = (wanted: Wanted, userId: string): Wanted => {
  if (wanted.userId === userId) return wanted;
  if (wanted.userId === null) return { ...wanted, userId };
  return { epoch: wanted.epoch + 1, isStarted: false, userId };
};

export const withoutSession = (wanted: Wanted): Wanted =>
  wanted.isStarted || wanted.userId !== null ? { ...NOTHING_WANTED, epoch: wanted.epoch + 1 } : wanted;

/** @returns what is stored, or nothing wanted where it is missing or was damaged */
export const readWanted = (stored: unknown): Wanted => {
  const { epoch, isStarted, userId } = Object(stored) as Partial<Record<keyof Wanted, unknown>>;
  return typeof epoch === "number" &&
    typeof isStarted === "boolean" &&
    (userId === null || typeof userId === "string")
    ? { epoch, isStarted, userId }
    : NOTHING_WANTED;
};
