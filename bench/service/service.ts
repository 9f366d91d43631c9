import type { Section } from "../section.js";
import { median } from "../statistics.js";
import { FLOOR, measureService, RATE, SERVICE } from "./measure-service.js";

/** Of what a raw loop of the same inserts stores. */
const SHARE = 0.6;

export const service: Section = {
  name: "service",
  title: "The People service",
  notes:
    "Over HTTP, gzip as the tracker sends it, the bodies made before the clock starts, the service in a process of its own. The raw loop stores the same rows in the same tables by the same driver, one transaction a batch, and does nothing else. Both have run four rounds before. Clients, service and PostgreSQL share the machine. The service's own work, which a raw loop has not, is HTTP, JSON and the rules; most of what it spends goes into reading the body and into writing to sockets. Batches of 10 are nearly all of what a request costs whatever it holds: HTTP, three statements there and back, and a registration that is looked up.",
  measure: measureService,
  bars: (rows) => {
    const rate = (subject: string, setting: string) =>
      median(
        rows.find((row) => row.subject === subject && row.setting === setting && row.metric === RATE)!.values,
      );
    return rows
      .filter(
        ({ subject, setting, metric }) =>
          subject === SERVICE &&
          metric === RATE &&
          setting.startsWith("PostgreSQL") &&
          setting.includes("batches of 500, 10,000"),
      )
      .map(({ setting }) => {
        const share = rate(SERVICE, setting) / rate(FLOOR, setting);
        return {
          bar: `service ≥ ${SHARE * 100}% of a raw loop of the same inserts (${setting})`,
          measured: `${Math.round(share * 100)}%`,
          met: share >= SHARE,
        };
      });
  },
};
