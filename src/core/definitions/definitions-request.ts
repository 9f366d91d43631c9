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

/** Returns whose token to send, and where to; `null` where no request may go now. */
const askable = (record: TrackerRecord, now: number) => {
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
    const asked = askable(record, clock.now());
    if (!asked) return null;
    const registration = await registrar.ensure(record, asked.profile);
    if (registration.kind !== "registered") return null;
    // A registration takes its time: somebody may have opted out, or the service asked to wait.
    const still = askable(await store.read(), clock.now());
    if (!still) return null;
    const answer = await transport.send({
      method: "GET",
      url: `${still.connection.endpoint}/v1/definitions`,
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
    // One that no header can carry would fail each later request.
    const newEtag = parsed(headerValueSchema, answer.etag);
    return { unchanged: false, body: answer.body, ...(newEtag !== null && { etag: newEtag }) };
  },
});
