/** `definitions push` and `definitions pull`: the definitions of events, kept in the site's repository. */
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArguments } from "./arguments.js";
import type { Command } from "./command.js";
import { changesTo, type DefinitionChange } from "./definition-changes.js";
import { definitionFile, parseDefinitionFile } from "./definition-file.js";
import type { PeopleService } from "./people-service.js";
import { connect, SERVICE_OPTIONS } from "./service-options.js";

const OPTIONS_USAGE = `  --endpoint <url>  the People service, or the variable PEOPLE_TRACKING_ENDPOINT
  --key <key>       an admin key (scope people:manage), or the variable PEOPLE_TRACKING_ADMIN_KEY
                    (both default to the service of "people-tracking-sdk dev" in this folder)`;

export const push: Command = {
  usage: `people-tracking-sdk definitions push <file.json> --endpoint <url> --key <admin key> [--dry-run]

Defines the events of a file at the People service, and changes those that differ. Events that are not in the file stay.

  [{ "id": "action", "title": "Somebody does something", "properties": { "name": "string", "price": "decimal" } }]

Types of properties: string, boolean, datetime, numeric (whole numbers), decimal, list.

${OPTIONS_USAGE}
  --dry-run         says what would change, and changes nothing`,

  async run(args, environment) {
    const { values, positionals } = parseArguments(
      args,
      { ...SERVICE_OPTIONS, "dry-run": { type: "boolean", default: false } },
      ["file.json"],
    );
    const [file = ""] = positionals;
    const service = await connect(values, environment, "adminKey");
    const wanted = parseDefinitionFile(await readText(resolve(environment.cwd, file), file), file);
    const present = await service.readDefinitions();
    const changes = changesTo(wanted, present);
    const isDry = values["dry-run"];

    if (!isDry) await write(changes, service);
    for (const { line } of changes) environment.print(line);
    const unchanged = wanted.length - changes.length;
    environment.print(
      `${changes.length} ${isDry ? "would change" : "changed"}, ${unchanged} unchanged, ${othersThan(wanted, present)} only at the service.`,
    );
    return 0;
  },
};

export const pull: Command = {
  usage: `people-tracking-sdk definitions pull <file.json> --endpoint <url> --key <key>

Writes the events that the People service has defined to a file, as definitions push reads it.

${OPTIONS_USAGE}`,

  async run(args, environment) {
    const { values, positionals } = parseArguments(args, SERVICE_OPTIONS, ["file.json"]);
    const [file = ""] = positionals;
    const definitions = await (await connect(values, environment, "adminKey")).readDefinitions();
    await writeFile(resolve(environment.cwd, file), definitionFile(definitions));
    environment.print(`${file} written: ${definitions.length} defined.`);
    return 0;
  },
};

/** In the order of the file. Writing one again changes nothing, so that a push which failed half-way can be repeated. */
async function write(changes: readonly DefinitionChange[], service: PeopleService): Promise<void> {
  const written: string[] = [];
  for (const { definition } of changes) {
    try {
      await service.writeDefinition(definition);
    } catch (error) {
      const done = written.length
        ? `${written.join(", ")} changed before that; run it again`
        : "Nothing was changed";
      throw new Error(`${(error as Error).message}. ${done}.`, { cause: error });
    }
    written.push(definition.id);
  }
}

const readText = async (path: string, name: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`${name} cannot be read: ${(error as Error).message}`, { cause: error });
  }
};

const othersThan = (wanted: readonly { id: string }[], present: readonly { id: string }[]): number => {
  const ids = new Set(wanted.map(({ id }) => id));
  return present.filter(({ id }) => !ids.has(id)).length;
};
