/** Whom one can sign in as. The demo server mints their tokens; a real site's own server would, after a real sign-in. */
export const DEMO_PEOPLE = [
  { id: "mara", name: "Mara Lindqvist", email: "mara@updraft.example" },
  { id: "teo", name: "Teo Okafor", email: "teo@updraft.example" },
] as const;
export type DemoPersonId = (typeof DEMO_PEOPLE)[number]["id"];
