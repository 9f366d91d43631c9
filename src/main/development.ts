import type { OutboxRow, Outcome } from "../protocol/api.js";
import type { InspectQuery } from "../protocol/host.js";

interface Inspectable {
  inspect(query: InspectQuery): Promise<Outcome<OutboxRow[]>>;
}

/** The site's bundler replaces it, and then drops what is for development only. */
declare const process: { env: { NODE_ENV?: string } };

/** In a development build, `__PEOPLE_TRACKING__.inspect()` in the console shows the outbox as a table. */
export const exposeInspection = (sdk: Inspectable): void => {
  try {
    if (process.env.NODE_ENV !== "production") {
      Object.assign(globalThis, { __PEOPLE_TRACKING__: { inspect: () => printOutbox(sdk) } });
    }
  } catch {
    // No bundler and no `process`: a site that runs the files as they are.
  }
};

const printOutbox = async (sdk: Inspectable): Promise<OutboxRow[]> => {
  const outcome = await sdk.inspect({ limit: 1000 });
  if (!outcome.success) {
    console.warn(outcome.error.message);
    return [];
  }
  console.table(
    outcome.data.map(({ profile, error, operation: _, ...row }) => ({
      ...row,
      profile: `${profile.kind} ${profile.id}`,
      error: error?.message,
    })),
  );
  return outcome.data;
};
