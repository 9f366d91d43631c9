import { device } from "./device/device.js";
import { memory } from "./device/memory.js";
import { burst } from "./main-thread/burst.js";
import { counts } from "./main-thread/counts.js";
import { idle } from "./main-thread/idle.js";
import { paced } from "./main-thread/paced.js";
import { parts } from "./main-thread/parts.js";
import { sizes } from "./main-thread/sizes.js";
import { start } from "./main-thread/start.js";
import { tabs } from "./main-thread/tabs.js";
import { outbox } from "./outbox/outbox.js";
import type { Section } from "./section.js";
import { service } from "./service/service.js";

/** In the order of the report. */
export const sections: readonly Section[] = [
  sizes,
  parts,
  burst,
  paced,
  start,
  device,
  memory,
  outbox,
  tabs,
  idle,
  counts,
  service,
];
