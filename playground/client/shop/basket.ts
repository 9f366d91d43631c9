import { computed } from "@preact/signals";

import { storedSignal } from "../stored-signal.js";
import { sdk, show, track } from "../tracker.js";
import { productBySku, type Product } from "./products.js";

const isCounts = (value: unknown): value is Record<string, number> =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).every(([sku, count]) => productBySku(sku) !== undefined && Number.isInteger(count));
const isSkus = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((sku) => typeof sku === "string" && productBySku(sku) !== undefined);

export const [bag, setBag] = storedSignal<Record<string, number>>("updraft:bag", {}, isCounts);
export const [saved, setSaved] = storedSignal<string[]>("updraft:saved", [], isSkus);

export const bagLines = computed(() =>
  Object.entries(bag.value).flatMap(([sku, quantity]) => {
    const product = productBySku(sku);
    return product && quantity > 0 ? [{ product, quantity }] : [];
  }),
);
export const bagCount = computed(() => bagLines.value.reduce((sum, line) => sum + line.quantity, 0));
export const bagTotal = computed(() =>
  bagLines.value.reduce((sum, line) => sum + line.quantity * line.product.price, 0),
);

export function addToBag({ sku, name, price }: Product): void {
  const quantity = (bag.value[sku] ?? 0) + 1;
  setBag({ ...bag.value, [sku]: quantity });
  void track("addedToBag", { sku, name, price, quantity });
}

export function removeFromBag(sku: string): void {
  setBag(Object.fromEntries(Object.entries(bag.value).filter(([key]) => key !== sku)));
  void track("removedFromBag", { sku });
}

export function placeOrder(): void {
  const lines = bagLines.value.map(({ product, quantity }) => ({ sku: product.sku, quantity }));
  void track("orderPlaced", { total: bagTotal.value, lines });
  setBag({});
}

/** Adds or removes a favourite (the heart). Its event is the specification's own example. */
export function toggleSaved({ sku }: Product): void {
  const isSaved = saved.value.includes(sku);
  setSaved(isSaved ? saved.value.filter((other) => other !== sku) : [...saved.value, sku]);
  void track("action", {
    name: "Button clicked",
    label: isSaved ? "remove-from-favorites" : "add-to-favorites",
  });
}

/** Adds a product to the lead's wish list, which the service stores. */
export function addToWishlist({ sku, name }: Product) {
  const item = { sku, name };
  return show(`appendToList("wishlist", ${JSON.stringify(item)})`, () => sdk.appendToList("wishlist", item));
}
