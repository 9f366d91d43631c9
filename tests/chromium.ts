import { existsSync } from "node:fs";
import { chromium } from "playwright";

const SYSTEM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const CHROMIUM_ARGS = [
  "--no-sandbox",
  "--disable-quic",
  "--disable-background-networking",
  "--no-first-run",
];

/** `$CHROMIUM`, else the system's, else the one that Playwright brings. */
export const findChromium = (): string | undefined =>
  [process.env["CHROMIUM"], ...SYSTEM, chromium.executablePath()].find((path) => path && existsSync(path));

/** @throws one line that says what to install */
export const chromiumPath = (): string => {
  const path = findChromium();
  if (path) return path;
  throw new Error(
    "No Chromium here: install one (apt-get install chromium, npx playwright install chromium)",
  );
};
