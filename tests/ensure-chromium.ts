/** Before the browser tests: finds a Chromium, or gets one where that is possible without asking. */
import { execFileSync } from "node:child_process";
import { chromiumPath, findChromium } from "./chromium.js";

const run = (command: string, args: string[]): void => {
  try {
    execFileSync(command, args, {
      stdio: "inherit",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  } catch {
    // Not every machine has this way; what is missing in the end is said below.
  }
};

export const setup = (): void => {
  if (!findChromium()) run("npx", ["playwright", "install", "chromium"]);
  if (!findChromium() && process.getuid?.() === 0) {
    run("apt-get", ["update", "-qq"]);
    run("apt-get", ["install", "-y", "-qq", "chromium"]);
  }
  chromiumPath();
};
