/** What pages call: mostly what is right, some of it not. */
import type { Command } from "../../src/protocol/host.js";
import type { Environment } from "./environment.js";
import { knownEvents } from "./events.js";
import type { Plan } from "./plan.js";
import type { Scheduler } from "./scheduler.js";

type WithoutStamp<Each> = Each extends Command ? Omit<Each, "n" | "at" | "generation" | "deadline"> : never;
export type Draft = WithoutStamp<Command>;

const limits = ({ sessionTimeoutMs, maxWaiting, deliveryDelayMs }: Plan) => ({
  sessionTimeoutMs,
  maxWaiting,
  deliveryDelayMs,
});

export const pageView = (plan: Plan) => ({ type: "pageView", ...limits(plan) }) as const satisfies Draft;

const badCall = (scheduler: Scheduler, plan: Plan): Draft =>
  scheduler.pick<Draft>([
    { type: "track", eventId: "action", properties: { poison: true }, ...limits(plan) },
    // Known to be wrong only where the definitions can be had.
    { type: "track", eventId: "unknown", ...limits(plan) },
    { type: "track", eventId: "not an id", ...limits(plan) },
  ]);

export const anyCall = ({ scheduler, plan, service }: Environment): Draft => {
  if (scheduler.chance(plan.badCalls)) return badCall(scheduler, plan);
  const chance = scheduler.random();
  if (chance < 0.5) {
    const eventId = scheduler.pick(knownEvents(service, scheduler.now));
    return { type: "track", eventId, properties: { step: scheduler.upTo(99) }, ...limits(plan) };
  }
  if (chance < 0.8) return pageView(plan);
  // As pages send them: the head of a batch is that of all its commands.
  if (chance < 0.9) return { type: "updatePerson", person: { firstName: "Semi" }, ...limits(plan) };
  return { type: "appendToList", attribute: "category", item: { name: "special" }, ...limits(plan) };
};

/** What no service will take, whatever else happens. */
export const isBad = (command: Command): boolean =>
  command.type === "track" &&
  (/^unknown$|^not/.test(command.eventId) || command.properties?.["poison"] === true);
