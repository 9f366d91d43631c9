/** The public types, as `docs/api-report` shows them: whoever reviews a change sees what users will see. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { describe, expect, onTestFinished, test } from "vitest";

const REPORTS = fileURLToPath(new URL("../../docs/api-report", import.meta.url));
/** Each report, and the configuration that it is made by. */
const CONFIGURATIONS = {
  "people-tracking-sdk.api.md": "api-extractor.json",
  "live-chat.api.md": "live-chat.api-extractor.json",
};
type Report = keyof typeof CONFIGURATIONS;
const committedReport = (report: Report): Promise<string> => readFile(join(REPORTS, report), "utf8");

/** The report of the types in `dist`, which `npm run build` wrote. */
const reportOfBuild = async (report: Report): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "people-tracking-api-report-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const configObjectFullPath = join(REPORTS, CONFIGURATIONS[report]);
  const configObject = ExtractorConfig.loadFile(configObjectFullPath);
  configObject.apiReport = { ...configObject.apiReport, enabled: true, reportTempFolder: folder };
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath,
    packageJsonFullPath: fileURLToPath(new URL("../../package.json", import.meta.url)),
  });
  // Its own message says to copy a file; the test's says what this project does.
  Extractor.invoke(config, { messageCallback: (message) => void (message.handled = true) });
  return readFile(join(folder, report), "utf8");
};

describe.each(Object.keys(CONFIGURATIONS) as Report[])("the API report %s", (report) => {
  test("shows the public types as they are", async () => {
    expect(
      await reportOfBuild(report),
      "The public types changed. If that is meant, run `npm run api-report`, look at the difference, and commit it.",
    ).toBe(await committedReport(report));
  });

  test("finds each type that the public ones name among the exports", async () => {
    expect(await committedReport(report)).not.toContain("ae-forgotten-export");
  });

  test("says nothing of the machine that wrote it", async () => {
    expect(await committedReport(report)).not.toMatch(/node_modules|\bfile:|\/(home|root|Users|work|tmp)\//);
  });
});
