/** The site's bundler replaces it, and then drops what is for development only. */
declare const process: { env: { NODE_ENV?: string } };

/** Each says what was wrong, and what to do about it. */
const TEXTS = {
  unreachable: (url: string) =>
    `${url} cannot be reached. Is the People service running there, and does it allow this page's origin (CORS_ORIGINS)?`,
  refused: (status: number, url: string) => {
    if (status === 400 || status === 401)
      return `the People service refuses the JWT (${status}). It must be HS256 with a key of a widget that the service knows (iss, ski), with stp, sub, a jti that was not used before, iat and exp.`;
    if (status === 404)
      return `${url} answers 404. The option "endpoint" must be the People service's address, by default "/people" on this origin.`;
    if (status === 429) return `${url} answers 429: too many chats from this address.`;
    if (status < 300)
      return `${url} answers ${status}, but no session. Does a proxy answer in the place of the service?`;
    return `${url} answers ${status}.`;
  },
  jwt: (error: unknown) =>
    `the site's JWT could not be fetched (${String(error)}). Signing in is tried again.`,
  noUser: () =>
    "signedIn(jwt, userId) needs the user's id, or a JWT text with a sub. The sign-in is ignored.",
  noJwt: (widget: string) =>
    `${widget} was told who has signed in, but the People service was not: give the adapter the option "jwt", which fetches a JWT for that user from your backend.`,
  unwatchable: (widget: string, error: unknown) =>
    `${widget} cannot be watched on this page (${String(error)}). Call sessionStarted(), signedIn() and signedOut() yourself.`,
  storage: () =>
    "localStorage is unavailable or full, so the session is not shared with other tabs and ends with this page.",
  bug: (error: unknown) => `an exchange failed: ${String(error)}`,
};

const warned = new Set<string>();

/** Warns in development builds, once for each text. */
export const warn = <Cause extends keyof typeof TEXTS>(
  cause: Cause,
  ...given: Parameters<(typeof TEXTS)[Cause]>
): void => {
  try {
    if (process.env.NODE_ENV !== "production") {
      const text = (TEXTS[cause] as (...given: unknown[]) => string)(...given);
      if (!warned.has(text)) console.warn(`People tracking, Live Chat: ${text}`);
      warned.add(text);
    }
  } catch {
    // No bundler and no `process`: a site that runs the files as they are.
  }
};
