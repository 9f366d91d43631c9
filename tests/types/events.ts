/** What the compiler refuses: compiled by `tsc -b`, never run. */
import { PeopleTrackingSDK } from "../../src/main/index.js";
import type { Outcome, OutboxRow, TrackerState } from "../../src/main/index.js";

const sdk = new PeopleTrackingSDK<{
  action: { name: string; label?: string };
  bought: { price: number; at?: Date; items?: { sku: string; gift?: boolean }[] };
}>();

void sdk.track("action", { name: "Button clicked", label: "add-to-favorites" });
void sdk.track("action", { name: "Button clicked" });
void sdk.track("action");
void sdk.track("bought", { price: 1, at: new Date(), items: [{ sku: "a" }, { sku: "b", gift: true }] });

// @ts-expect-error an event that is not defined
void sdk.track("acton", { name: "Button clicked" });
// @ts-expect-error a property that is not defined
void sdk.track("action", { name: "Button clicked", colour: "red" });
// @ts-expect-error another type
void sdk.track("action", { name: 1 });
// @ts-expect-error a property that the event needs
void sdk.track("action", { label: "add-to-favorites" });
// @ts-expect-error an optional property is left out, not undefined
void sdk.track("action", { name: "Button clicked", label: undefined });
// @ts-expect-error nor null, unless the event's type has it
void sdk.track("action", { name: "Button clicked", label: null });
// @ts-expect-error another event's properties
void sdk.track("bought", { name: "Button clicked" });

// A type, not an interface: those may be added to elsewhere, and so are no `EventMap`.
type Shop = {
  viewed: { sku: string };
};
const shop = new PeopleTrackingSDK<Shop>();
void shop.track("viewed", { sku: "a" });
// @ts-expect-error what cannot be carried
void new PeopleTrackingSDK<{ action: { run: () => void } }>();

const anyEvents = new PeopleTrackingSDK();
void anyEvents.track("anything", { list: [{ a: 1 }], when: new Date(), ok: true });
// @ts-expect-error lists are flat
void anyEvents.track("anything", { list: [{ a: { b: 1 } }] });
void anyEvents.track("anything", { link: new URL("https://shop.example/"), coupon: null });
// @ts-expect-error a list has no holes
void anyEvents.track("anything", { list: [null] });
void anyEvents.appendToList("category", { name: "special", since: new Date(), until: null });
void anyEvents.updatePerson({ firstName: null, customAttributes: { car: null } });
void anyEvents.updatePerson({ firstName: "Semi", tags: ["reading"], customAttributes: { car: "Mercedes" } });
// @ts-expect-error no field of a person
void anyEvents.updatePerson({ firstname: "Semi" });
// @ts-expect-error one flat object
void anyEvents.appendToList("category", [{ name: "special" }]);
// @ts-expect-error not one of the kinds
void new PeopleTrackingSDK({ host: "iframe" });

export const outcomes = async (): Promise<void> => {
  const outcome: Outcome = await sdk.init("key");
  if (outcome.success) {
    const nothing: null = outcome.data;
    void nothing;
    // @ts-expect-error success has no error
    void outcome.error;
  } else {
    const code: number = outcome.error.code;
    void code;
  }
  const rows: Outcome<OutboxRow[]> = await sdk.inspect({ state: "rejected", after: 1, limit: 10 });
  void rows;
  const state: TrackerState | null = sdk.state;
  void state;
  const stop: () => void = sdk.subscribe(({ outbox }) => outbox.waiting);
  stop();
};

{
  using disposed = new PeopleTrackingSDK();
  void disposed.state;
}
