import { parsed } from "../../protocol/schemas/parse.js";
import { headerValueSchema } from "../../protocol/schemas/responses.js";
import { boundUntil, withRetryAfter } from "../delivery/back-off.js";
import { isBreakerOpen } from "../delivery/circuit-breaker.js";
import type { Registrar } from "../delivery/registrar.js";
import type { Ports } from "../ports.js";
import { profileQueueOf } from "../record/profile-queues.js";
import type { TrackerRecord } from "../tracker-record.js";
import { isOptedOut, selectedProfile } from "../tracker-record.js";
import type { DefinitionsSource } from "./definitions.js";

/** Returns the profile whose token to send, and the connection; `null` if no request may be sent now. */
const requestTarget = (record: TrackerRecord, now: number) => {
  const profile = selectedProfile(record);
  const { connection, delivery } = record;
  if (!profile || !connection || isOptedOut(record)) return null;
  const isBound = boundUntil(delivery, now) !== null;
  if (
    isBound ||
    isBreakerOpen(delivery.keyStop, now) ||
    isBreakerOpen(profileQueueOf(record, profile).stop, now)
  )
    return null;
  return { profile, connection };
};

/** Requests the service's definitions, within the same bounds as every other request. */
export const definitionsOver = (
  { clock, store, transport }: Pick<Ports, "clock" | "store" | "transport">,
  registrar: Registrar,
): DefinitionsSource => ({
  async fetch(etag) {
    const record = await store.read();
    const target = requestTarget(record, clock.now());
    if (!target) return null;
    const registration = await registrar.ensure(record, target.profile);
    if (registration.kind !== "registered") return null;
    // Meanwhile somebody may have opted out, or the service may have responded with `Retry-After`.
    const current = requestTarget(await store.read(), clock.now());
    if (!current) return null;
    const answer = await transport.send({
      method: "GET",
      url: `${current.connection.endpoint}/v1/definitions`,
      headers: {
        Authorization: `Bearer ${registration.token}`,
        ...(etag !== undefined && { "If-None-Match": etag }),
      },
    });
    if (answer.retryAfterMs !== undefined) {
      await store.commit({}, (snapshot) => ({
        change: { record: withRetryAfter(snapshot.record, clock.now(), answer) },
        result: undefined,
      }));
    }
    if (answer.status === 304) return { unchanged: true };
    if (answer.status !== 200) return null;
    // An ETag that no header can carry would make every later request fail.
    const newEtag = parsed(headerValueSchema, answer.etag);
    return { unchanged: false, body: answer.body, ...(newEtag !== null && { etag: newEtag }) };
  },
});
