import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseArguments } from "./arguments.js";
import { UsageError, type Command } from "./command.js";
import { compareEventTypes, eventTypes } from "./event-types.js";

import { readFileIfAny } from "./read-file-if-any.js";
import { connect, SERVICE_OPTIONS } from "./service-options.js";

export const typegen: Command = {
  usage: `people-tracking-sdk typegen --endpoint <url> --key <key> --out <file> [--check]

Reads the definitions of events from the People service, and writes them as the type Events, for
new PeopleTrackingSDK<Events>().

  --endpoint <url>  the option endpoint of your tracker, or the variable PEOPLE_TRACKING_ENDPOINT
  --key <key>       a key of the service, such as your tracking key, or the variable PEOPLE_TRACKING_KEY
                    (both default to the service of "people-tracking-sdk dev" in this folder)
  --out <file>      such as src/events.d.ts
  --check           writes nothing, and fails if the file is not up to date (for CI)`,

  async run(args, environment) {
    const { values } = parseArguments(args, {
      ...SERVICE_OPTIONS,
      out: { type: "string" },
      check: { type: "boolean", default: false },
    });
    const { out, check } = values;
    if (!out) throw new UsageError("--out is missing");
    const definitions = await (await connect(values, environment, "trackingKey")).readDefinitions();
    const text = eventTypes(definitions);
    const path = resolve(environment.cwd, out);
    // Git may have given it the line ends of Windows.
    const present = (await readFileIfAny(path))?.toString().replaceAll("\r\n", "\n");
    const isCurrent = present === text;

    if (check) {
      if (isCurrent) environment.print(`${out} is up to date.`);
      else
        environment.print(
          [
            present === undefined ? `${out} is missing.` : `${out} is not up to date:`,
            ...compareEventTypes(present ?? "", text).map((line) => `  ${line}`),
            "Run it without --check to write it.",
          ].join("\n"),
        );
      return isCurrent ? 0 : 1;
    }
    if (!isCurrent) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    const count = definitions.length === 1 ? "1 event" : `${definitions.length} events`;
    environment.print(`${out} ${isCurrent ? "was up to date" : "written"}: ${count}.`);
    return 0;
  },
};
