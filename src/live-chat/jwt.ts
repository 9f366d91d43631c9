/** A JWT of the site's backend, or what fetches one. A function is called only when a JWT is needed, each time for a fresh one. */
export type Jwt = string | Promise<string> | (() => string | Promise<string>);

/** @throws if the site has no JWT */
export const fetchJwt = async (jwt: Jwt): Promise<string> => {
  const text: unknown = await (typeof jwt === "function" ? jwt() : jwt);
  if (typeof text !== "string" || !text) throw new TypeError("the JWT must be a text");
  return text;
};

/** The claims of a JWT; none if it is not one. Nothing is verified here: the service does that. */
export const claimsOf = (jwt: string): Record<string, unknown> => {
  try {
    const [, payload = ""] = jwt.split(".");
    const bytes = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const json = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
    return Object(JSON.parse(json)) as Record<string, unknown>;
  } catch {
    return {};
  }
};

/** Names the person of a widget's JWT: its issuer, the type of its subject, and its subject. */
export const userIdOf = (jwt: string): string | undefined => {
  const { iss, stp, sub } = claimsOf(jwt);
  return typeof sub === "string" && sub ? [iss, stp, sub].join(" ") : undefined;
};
