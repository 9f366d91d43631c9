import type { EventDefinition } from "../../src/protocol/wire.js";

/** The shop's custom events; `client/tracker.ts` has their types. */
export const SHOP_DEFINITIONS: readonly EventDefinition[] = [
  { id: "action", title: "Action", properties: { name: "string", label: "string" } },
  {
    id: "productViewed",
    title: "Product viewed",
    properties: { sku: "string", name: "string", price: "decimal" },
  },
  {
    id: "addedToBag",
    title: "Added to bag",
    properties: { sku: "string", name: "string", price: "decimal", quantity: "numeric" },
  },
  { id: "removedFromBag", title: "Removed from bag", properties: { sku: "string" } },
  { id: "searched", title: "Searched", properties: { query: "string", results: "numeric" } },
  { id: "orderPlaced", title: "Order placed", properties: { total: "decimal", lines: "list" } },
  { id: "gust", title: "Gust", properties: { number: "numeric" } },
];
