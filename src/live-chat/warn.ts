/** The site's bundler replaces it, and then drops what is for development only. */
declare const process: { env: { NODE_ENV?: string } };

const causes = new Set<string>();

/** Warns in development builds, once for each cause. */
export const warn = (cause: string, text: string): void => {
  try {
    if (process.env.NODE_ENV === "production" || causes.has(cause)) return;
    causes.add(cause);
    console.warn(`People tracking, Live Chat: ${text}`);
  } catch {
    // No bundler and no `process`: a site that runs the files as they are.
  }
};
