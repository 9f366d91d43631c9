/** The public types, as `docs/api-report` shows them: whoever reviews a change sees what users will see. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { describe, expect, onTestFinished, test } from "vitest";

const REPORTS = fileURLToPath(new URL("../../docs/api-report", import.meta.url));
const REPORT = "people-tracking-sdk.api.md";
const committedReport = (): Promise<string> => readFile(join(REPORTS, REPORT), "utf8");

/** The report of the types in `dist`, which `npm run build` wrote. */
const reportOfBuild = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "people-tracking-api-report-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const configObjectFullPath = join(REPORTS, "api-extractor.json");
  const configObject = ExtractorConfig.loadFile(configObjectFullPath);
  configObject.apiReport = { ...configObject.apiReport, enabled: true, reportTempFolder: folder };
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath,
    packageJsonFullPath: fileURLToPath(new URL("../../package.json", import.meta.url)),
  });
  // Its own message says to copy a file; the test's says what this project does.
  Extractor.invoke(config, { messageCallback: (message) => void (message.handled = true) });
  return readFile(join(folder, REPORT), "utf8");
};

describe("the API report", () => {
  test("shows the public types as they are", async () => {
    expect(
      await reportOfBuild(),
      "The public types changed. If that is meant, run `npm run api-report`, look at the difference, and commit it.",
    ).toBe(await committedReport());
  });

  test("finds each type that the public ones name among the exports", async () => {
    expect(await committedReport()).not.toContain("ae-forgotten-export");
  });

  test("says nothing of the machine that wrote it", async () => {
    expect(await committedReport()).not.toMatch(/node_modules|\bfile:|\/(home|root|Users|work|tmp)\//);
  });
});
