import type { Section } from "../section.js";
import { median } from "../statistics.js";
import { FLOOR, measureService, RATE, SERVICE } from "./measure-service.js";

/** Of what a raw loop of the same inserts stores. */
const SHARE = 0.6;

export const service: Section = {
  name: "service",
  title: "The People service",
  notes:
    "Over HTTP, gzip as the tracker sends it, the bodies made before the clock starts, the service in a process of its own. The raw loop stores the same rows in the same tables by the same driver, one transaction a batch, and does nothing else. Both have run four rounds before. Clients, service and PostgreSQL share the machine: of its processor's time an operation in a batch of 500 takes about 25 µs in the service, 25 in PostgreSQL and 2 in the client; one of the raw loop 7 in its client, which shares neither JSON nor HTTP with the service, and 21 in PostgreSQL. With 8 and 32 at once the service's one thread is the limit: what it does in 25 µs, the raw loop does on both cores in 14.",
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
