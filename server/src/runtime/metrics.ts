import { Counter, Histogram, Registry } from "prom-client";
import type { OperationResult } from "../../../src/protocol/wire.js";

/** The metrics of one service, separate from any other service in the process. */
export interface Metrics {
  registry: Registry;
  request(method: string, route: string, status: number, durationMs: number): void;
  operations(results: readonly OperationResult[]): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const requests = new Histogram({
    name: "people_http_request_duration_seconds",
    help: "Duration of requests by route and status.",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  const operations = new Counter({
    name: "people_operations_total",
    help: "Operations of batches by result.",
    labelNames: ["status"],
    registers: [registry],
  });
  return {
    registry,
    request: (method, route, status, durationMs) =>
      requests.observe({ method, route, status }, durationMs / 1000),
    operations(results) {
      for (const status of ["accepted", "duplicate", "rejected"] as const)
        operations.inc({ status }, results.filter((result) => result.status === status).length);
    },
  };
}
