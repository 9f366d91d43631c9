import { createPeopleService, type PeopleService } from "people-service";

import { TRACKING_SCOPE } from "../../src/protocol/wire.js";
import { DEMO_TRACKING_KEY } from "../demo-key.js";
import { DEMO_ADMIN_KEY, DEMO_WIDGET } from "./demo-secrets.js";
import { SHOP_DEFINITIONS } from "./shop-definitions.js";

/** The People service, with the keys, the widget and the definitions of the demo. */
export async function openDemoService(dataDir: string): Promise<PeopleService> {
  const service = await createPeopleService({
    database: { dataDir },
    widgets: [{ id: DEMO_WIDGET.id, keys: [{ id: DEMO_WIDGET.keyId, secret: DEMO_WIDGET.secret }] }],
  });
  await service.keys.create({ key: DEMO_TRACKING_KEY, scopes: [TRACKING_SCOPE] });
  await service.keys.create({ key: DEMO_ADMIN_KEY, scopes: ["people:read", "people:manage"] });
  for (const definition of SHOP_DEFINITIONS) await service.definitions.put(definition);
  return service;
}
