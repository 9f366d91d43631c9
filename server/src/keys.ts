import { parseArgs } from "node:util";
import { openApiKeys } from "./credentials/api-keys.js";
import { openDatabase } from "./database/open-database.js";
import { readConfiguration } from "./runtime/configuration.js";

const USAGE = `keys create --scope <scope> [--scope <scope> …]   makes a key and prints it, this once
keys list                                         ids, scopes and times; never the keys
keys revoke <id or key>                           refuses it, and what was registered with it
keys restore <id or key>                          undoes that

Scopes: web:tracking:sdk (alone) for pages, people:read and people:manage for admins.
The database is DATABASE_URL's, else the PGlite folder DATA_DIR; with PGlite, stop the service first.`;

async function run(): Promise<string> {
  const [command = "", ...rest] = process.argv.slice(2);
  const { positionals, values } = parseArgs({
    // One key in 64 starts with a dash and must not be parsed as an option. Only `create` has options.
    args: command === "create" ? rest : ["--", ...rest],
    allowPositionals: true,
    options: { scope: { type: "string", multiple: true, default: [] } },
  });
  const [idOrKey = ""] = positionals;
  if (!["create", "list", "revoke", "restore"].includes(command)) throw new Error(USAGE);
  if (command === "create" && !values.scope.length) throw new Error(USAGE);

  const { db, close } = await openDatabase(readConfiguration(process.env).database, {
    onError: () => undefined,
    onWaiting: (reason) => {
      throw new Error(`Not now: ${reason}.`);
    },
  });
  try {
    const keys = openApiKeys(db, Date.now);
    if (command === "create") {
      const { id, key } = await keys.create({ scopes: values.scope });
      return `id   ${id}\nkey  ${key}`;
    }
    if (command === "list")
      return (await keys.list())
        .map(({ id, scopes, createdAt, revokedAt }) =>
          [id, scopes.join(","), createdAt, revokedAt ? `revoked ${revokedAt}` : "valid"].join("  "),
        )
        .join("\n");
    const done = command === "revoke" ? await keys.revoke(idOrKey) : await keys.restore(idOrKey);
    if (!done) throw new Error("There is no such key.");
    return `${command}d`;
  } finally {
    await close();
  }
}

try {
  console.log(await run());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
