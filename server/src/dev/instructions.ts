import { relative } from "node:path";
import { DEV_FOLDER, type DevService } from "../../../src/cli/dev-service.js";

/** What a developer is told when the service has started. */
export function instructions({ endpoint, trackingKey, adminKey }: DevService, dataDir: string): string {
  const folder = relative(process.cwd(), dataDir);
  const options = folder === DEV_FOLDER ? "" : ` --endpoint ${endpoint} --key ${adminKey}`;
  return `
The People service listens on ${endpoint} (data in ${folder || "."}; Ctrl-C stops it).
Paste this into a module of your site:

  import { PeopleTrackingSDK } from "people-tracking-sdk";

  const sdk = new PeopleTrackingSDK({ endpoint: "${endpoint}", liveChat: null });
  console.log(await sdk.init("${trackingKey}"));
  console.log(await sdk.track("action", { name: "Button clicked", label: "add-to-favorites" }));

Only the event "action" is defined. To define events of your own, write them into a file, and in another terminal:

  npx people-tracking-sdk definitions push events.json${options}

The admin key, which also reads persons, is ${adminKey}
What your pages send appears here:
`;
}
