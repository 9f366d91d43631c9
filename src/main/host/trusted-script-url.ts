interface Policy {
  createScriptURL(url: string): string;
}

/** One for the page: a policy's name can be taken once, unless the site allows duplicates. */
let policy: Policy | undefined;

/** The URL as pages accept it that require Trusted Types for scripts; the same text where there are none. */
export const trustedScriptUrl = (url: string): string => {
  const { trustedTypes } = globalThis as unknown as {
    trustedTypes: { createPolicy(name: string, rules: Policy): Policy };
  };
  try {
    policy ??= trustedTypes.createPolicy("people-tracking-sdk", { createScriptURL: (given) => given });
    return policy.createScriptURL(url);
  } catch {
    // This browser has none, the name is the page's own variable or element, or the site's `trusted-types` does not name
    // our policy; it may still not require them.
    return url;
  }
};
