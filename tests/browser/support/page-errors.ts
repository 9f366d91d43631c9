/** Nothing of the tracker's may reach a page as an error: where one does, its test fails. */
import { afterEach, beforeEach } from "vitest";
import type { Page } from "playwright";

export interface PageErrors {
  watch(page: Page): void;
  /** Those so far, which the test expects. */
  take(): string[];
}

export const usePageErrors = (): PageErrors => {
  let errors: Error[] = [];
  beforeEach(() => {
    errors = [];
  });
  afterEach(() => {
    if (errors.length)
      throw new AggregateError(errors, `a page had errors: ${errors.map(String).join("; ")}`);
  });
  return {
    watch: (page) => void page.on("pageerror", (error) => errors.push(error)),
    take: () => errors.splice(0).map(({ message }) => message),
  };
};
