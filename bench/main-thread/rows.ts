import type { Row, Unit } from "../section.js";

/** Gathers figures run by run into rows. */
export class Rows {
  readonly #rows = new Map<string, Row>();

  add(subject: string, setting: string, metric: string, unit: Unit, value: number): void {
    const key = [subject, setting, metric].join("\n");
    const row = this.#rows.get(key) ?? { subject, setting, metric, unit, values: [] };
    row.values.push(value);
    this.#rows.set(key, row);
  }

  get all(): Row[] {
    return [...this.#rows.values()];
  }
}
