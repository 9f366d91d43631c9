/** The people that a visitor can sign in as. The demo server issues their tokens, as a site's own server would. */
export const DEMO_PEOPLE = [
  { id: "mara", name: "Mara Lindqvist", email: "mara@updraft.example" },
  { id: "teo", name: "Teo Okafor", email: "teo@updraft.example" },
] as const;
export type DemoPersonId = (typeof DEMO_PEOPLE)[number]["id"];
