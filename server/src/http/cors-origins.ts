/**
 * Checks that each origin has the form in which browsers send it: without a path, a trailing slash, capitals or a default
 * port. Any other form would never match. `*` stands for any origin, and `:*` at the end of one for any port.
 *
 * @throws an Error that says what to write instead
 */
export function checkCorsOrigins(origins: readonly string[]): void {
  for (const origin of origins) {
    if (origin === "*" || isOrigin(origin) || isOriginOfAnyPort(origin)) continue;
    const meant = URL.canParse(origin) ? new URL(origin).origin : "";
    throw new Error(
      isOrigin(meant)
        ? `“${origin}” is not an origin: write ${meant}`
        : `“${origin}” is not an origin: write a scheme, a host and, where it is not the default, a port, such as https://shop.example`,
    );
  }
}

/**
 * Returns a function that tells the value of `Access-Control-Allow-Origin` for a page's origin, or null if its pages may
 * not call the service.
 */
export function matchOrigins(allowed: readonly string[]): (origin: string) => string | null {
  if (allowed.includes("*")) return () => "*";
  const exact = new Set(allowed);
  return (origin) => (exact.has(origin) || exact.has(`${origin.replace(PORT, "")}:*`) ? origin : null);
}

const PORT = /:\d+$/;

const isOriginOfAnyPort = (text: string): boolean => {
  const withoutPort = text.replace(/:\*$/, "");
  return withoutPort !== text && !PORT.test(withoutPort) && isOrigin(withoutPort);
};

const isOrigin = (text: string): boolean =>
  /^https?:/i.test(text)
    ? // A URL allows asterisks in the host's name.
      URL.canParse(text) && new URL(text).origin === text && !text.includes("*")
    : // Apps and browser extensions have schemes of their own, for which `URL` returns no origin.
      /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:_-]+$/.test(text);
