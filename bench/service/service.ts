import type { Section } from "../section.js";
import { median } from "../statistics.js";
import { FLOOR, measureService, RATE, SERVICE } from "./measure-service.js";

/** The target: a share of the rate of a raw loop with the same inserts. */
const SHARE = 0.6;

export const service: Section = {
  name: "service",
  title: "The People service",
  notes: `Requests go over HTTP, with gzip as the tracker sends them, to a service in a process of its own. Their bodies are made
before the clock starts. The raw loop stores the same rows in the same tables with the same driver, one transaction for each
batch, and does nothing else. Both run four rounds before the measurement. Clients, service and PostgreSQL share the machine.

What the service does and the raw loop does not is HTTP, JSON and the rules. Most of that time goes into reading bodies and
writing to sockets. A batch of 10 consists almost entirely of the fixed cost of a request: HTTP, three round trips to the
database, and looking up the registration.`,
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
