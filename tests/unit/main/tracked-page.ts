import { vi } from "vitest";
import { FakePage, fakeTime } from "./fake-page.js";
import type { PeopleTrackingSDK } from "../../../src/main/index.js";

const made: PeopleTrackingSDK[] = [];

/** A fresh page load with stopped clocks. */
export const loadPage = (): FakePage => {
  fakeTime();
  return new FakePage();
};

/** Has the tracker closed at the end of the test. */
export const using = <Sdk extends PeopleTrackingSDK>(sdk: Sdk): Sdk => {
  made.push(sdk);
  return sdk;
};

export const leavePage = (): void => {
  for (const sdk of made.splice(0)) sdk.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.restoreAllMocks();
  // What one page load remembers for all of its instances.
  Reflect.deleteProperty(globalThis, Symbol.for("people-tracking-sdk"));
};
