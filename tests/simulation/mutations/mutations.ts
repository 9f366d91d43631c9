/** Small mistakes that somebody could make in the core, each a textual replacement. The simulation must catch them. */
export interface Mutation {
  name: string;
  /** From `src/core`. */
  file: string;
  /** Stands there exactly once. */
  original: string;
  replacement: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "operations leave the outbox before the service answers",
    file: "delivery/sender.ts",
    original: "    const verdict = batchVerdict(answer);",
    replacement: `    const verdict: Verdict =
      answer.status === 0 && !answer.cutOff
        ? { kind: "settled", results: new Map(batch.rows.map(({ id }) => [id, { id, status: "accepted" }])) }
        : batchVerdict(answer);`,
  },
  {
    name: "an operation without an answer is removed",
    file: "delivery/settle.ts",
    original: "    if (!result || !waiting.has(row.seq)) continue;\n    if (result.status",
    replacement: "    if (!waiting.has(row.seq)) continue;\n    if (result?.status",
  },
  {
    name: "a rejected operation is dropped",
    file: "delivery/settle.ts",
    original: 'put.push({ ...row, state: "rejected", error: lastRejection });',
    replacement: "remove.push(row.seq);",
  },
  {
    name: "a lease never expires",
    file: "delivery/lease.ts",
    original: "now < startsAt ? null : pending(takenAt, expiresAt, now);",
    replacement: "(now < startsAt ? null : takenAt + expiresAt);",
  },
  {
    name: "the lease is ignored without locks",
    file: "delivery/delivery.ts",
    original: "const free = isFormer || mayTakeLease(record, this.#hostId, now);",
    replacement: "const free = true;",
  },
  {
    name: "a lease is ignored that was taken without the lock",
    file: "delivery/delivery.ts",
    original: "lockAskedAt !== null && lease?.underLock &&",
    replacement: "lockAskedAt !== null && lease &&",
  },
  {
    name: "a merge stands before the visitor's last activity",
    file: "record/profile-selection.ts",
    original: "iso(Math.max(latestKnown(work.record), visitor.latestOperationAt ?? 0))",
    replacement: "iso(Math.max(latestKnown(work.record), visitor.latestOperationAt ?? 0) - 60_000)",
  },
  {
    name: "a merge is of the visitor's own queue",
    file: "record/profile-selection.ts",
    original: "  append(work, next, {\n    id: `m-",
    replacement: "  append(work, from, {\n    id: `m-",
  },
  {
    name: "a session ends when it is noticed, not when it was due",
    file: "record/session-clock.ts",
    original: "? close(book, book.session, book.session.expiresAt)",
    replacement: "? close(book, book.session, moment)",
  },
  {
    name: "a session goes on over a change that does not merge",
    file: "record/profile-selection.ts",
    original: "  else endSessionAt(work, selectedAt);",
    replacement: "  else endDueSession(work, selectedAt);",
  },
  {
    name: "a processed command is accepted again",
    file: "commands/processed-commands.ts",
    original: "  n <= decidedUpTo && !gaps.some(holds(n));",
    replacement: "  n < decidedUpTo && !gaps.some(holds(n));",
  },
  {
    name: "a flush ignores Retry-After",
    file: "delivery/back-off.ts",
    original: "  delivery: { ...withoutWaiting(record.delivery), failures: 0 },",
    replacement:
      "  delivery: { ...withoutWaiting({ ...record.delivery, retryAfter: { receivedAt: 0, endsAt: 0 } }), failures: 0 },",
  },
  {
    name: "a Live Chat session that was left comes back",
    file: "record/profile-selection.ts",
    original: "  if (retirementKeys(session).some(isRetired)) return;",
    replacement: "  retirementKeys(session).some(isRetired);",
  },
  {
    name: "late activity is given to the profile of now",
    file: "commands/accept.ts",
    original: "const profile = profileAt(work.record, occurredAt) ?? selected;",
    replacement: "const profile = selected ?? profileAt(work.record, occurredAt);",
  },
  {
    name: "what was called before an erasing is stored after it",
    file: "commands/accept.ts",
    original: "  if (command.generation < record.generation) {",
    replacement: "  if (command.generation < 0) {",
  },
  {
    name: "a command past its deadline is stored",
    file: "commands/accept.ts",
    original: "now > deadline;",
    replacement: "now > deadline + 3_600_000;",
  },
  {
    name: "back-off never ends",
    file: "delivery/back-off.ts",
    original: "const backOffEndsAt = now + Math.round(random * ceiling);",
    replacement: "const backOffEndsAt = now + Math.round(random * ceiling) + 1e9;",
  },
  {
    name: "nobody wakes when back-off ends",
    file: "delivery/delivery.ts",
    original: "store.forget();\n      this.wake();",
    replacement: "store.forget();",
  },
  {
    name: "the lease is not renewed while a request is under way",
    file: "delivery/delivery.ts",
    original: "void renew().then(renewLater, renewLater)",
    replacement: "void 0",
  },
  {
    name: "a sender goes on after another one took its lease",
    file: "delivery/lease.ts",
    original: "  if (!holdsLease(record, hostId)) {\n    const left",
    replacement: "  if (!record) {\n    const left",
  },
  {
    name: "Retry-After binds no batch",
    file: "delivery/plan.ts",
    original: "    boundUntil(delivery, now) ?? 0,\n",
    replacement: "",
  },
  {
    name: "a journal that two pages take in at once counts twice",
    file: "commands/accept.ts",
    original: "pages.get(pageId) ?? snapshot.pages.get(pageId) ?? noProcessedCommands(pageId)",
    replacement: "snapshot.pages.get(pageId) ?? noProcessedCommands(pageId)",
  },
  {
    name: "a journal that another page took in before counts again",
    file: "commands/accept.ts",
    original: "pages.get(pageId) ?? snapshot.pages.get(pageId) ?? noProcessedCommands(pageId)",
    replacement: "pages.get(pageId) ?? noProcessedCommands(pageId)",
  },
  {
    name: "a wrong event is refused by definitions of long ago",
    file: "definitions/definitions.ts",
    original: "return (await this.refresh()) && this.#byId ?",
    replacement: "return this.#byId ?",
  },
  {
    name: "Global Privacy Control overrides what somebody chose",
    file: "commands/init.ts",
    original: 'const undecided = record.consent === "undecided" || record.consent === "gpc";',
    replacement: "const undecided = record.consent !== null;",
  },
  {
    name: "what a later version keeps in the record is dropped",
    file: "record/unit-of-work.ts",
    original: "export const writeSetOf = ({ record, put, retire }: UnitOfWork)",
    replacement: "export const writeSetOf = ({ record: { later: _, ...record }, put, retire }: any)",
  },
  {
    name: "an opt-out does not stop what waits",
    file: "delivery/plan.ts",
    original: "if (isOptedOut(record) || !record.connection",
    replacement: "if (!record.connection",
  },
  {
    name: "a host begins in memory with nobody",
    file: "failover/opening-change.ts",
    original: "const record = known ?? emptyRecord();",
    replacement: "const record = known ? { ...emptyRecord(), connection: known.connection } : emptyRecord();",
  },
  {
    name: "a commit decides on the disk after it was given up",
    file: "failover/failover-store.ts",
    original: 'if (attempt.isGivenUp || this.#memory) throw new Error("given up");',
    replacement: "",
  },
  {
    name: "a host retires while it has something to send",
    file: "failover/retirement.ts",
    original: '!["send", "gather"].includes(planOf(record, now).kind) ||',
    replacement: 'planOf(record, now).kind !== "idle" ||',
  },
  {
    name: "a host never retires",
    file: "failover/retirement.ts",
    original: '!["send", "gather"].includes(planOf(record, now).kind) ||',
    replacement: "planOf(record, now) === null ||",
  },
  {
    name: "what a host could not send is forgotten as it retires",
    file: "failover/retirement.ts",
    original: "held.rows.filter((row) => isErased || !isOn(disk, row));",
    replacement: "held.rows.filter((row) => isErased && !isOn(disk, row));",
  },
  {
    name: "what the disk has decided is written again as a host retires",
    file: "failover/retirement.ts",
    original: "held.rows.filter((row) => isErased || !isOn(disk, row));",
    replacement: "held.rows;",
  },
  {
    name: "what a host could not send comes to the disk out of order",
    file: "failover/retirement.ts",
    original: "const rows = [...remaining,",
    replacement: "const rows = [...remaining.toReversed(),",
  },
  {
    name: "what somebody chose in memory is forgotten",
    file: "failover/retirement.ts",
    original: "? mine.consent : disk.consent;",
    replacement: "? disk.consent : disk.consent;",
  },
  {
    name: "an erase in memory is forgotten",
    file: "failover/retirement.ts",
    original: "wasErased(mine, left) && mine.generation > found.generation;",
    replacement: "wasErased(mine, left) && mine.generation < found.generation;",
  },
  {
    name: "what another host has erased comes back from memory",
    file: "failover/retirement.ts",
    original: "if (left && found.generation > mine.generation) return",
    replacement: "if (left && found.generation > mine.generation + 1e15) return",
  },
  {
    name: "who the person cleared is written back",
    file: "failover/retirement.ts",
    original: "return isNobody(left) && (!isEmptied || isNobody(begun));",
    replacement: "return true;",
  },
  {
    name: "a session that gives way has no end",
    file: "failover/retirement.ts",
    original: "...(givesWay ? endOf(givesWay, now) : [])",
    replacement: "...(givesWay ? endOf(givesWay, now).slice(1) : [])",
  },
  {
    name: "a Live Chat session that ended in memory is forgotten",
    file: "failover/retirement.ts",
    original: "  work.retire.push(...retire);\n",
    replacement: "",
  },
  {
    name: "what was read before the failover counts as the disk's last word",
    file: "failover/failover-store.ts",
    original: "if (record !== heard.record || this.#memory) return",
    replacement: "if (record !== heard.record) return",
  },
  {
    name: "an operation that was refused compressed is rejected at once",
    file: "delivery/compression.ts",
    original: 'if (verdict.kind === "failed" || rows.length === 1) return true;',
    replacement: 'if (verdict.kind === "failed") return true;\n  if (rows.length === 1) return false;',
  },
  {
    name: "what is compressed is sent, though it does not pass",
    file: "delivery/compression.ts",
    original: "  (!uncompressed || pending(uncompressed.decidedAt, uncompressed.endsAt, now) === null);",
    replacement: "  (!uncompressed || true);",
  },
  {
    name: "a profile that cannot be registered stops the key",
    file: "delivery/registrar.ts",
    original: "withUnregistered(withOpenBreaker(current, profile, error, now), profile, profile)",
    replacement: "withUnregistered(withOpenBreaker(current, null, error, now), profile, profile)",
  },
  {
    name: "a profile that cannot be registered holds up all",
    file: "delivery/answers.ts",
    original: 'return error ? { kind: "unregistered", error } : failureOf(answer);',
    replacement: "return failureOf(answer);",
  },
  {
    name: "what is let go of still counts as waiting",
    file: "delivery/unregistered.ts",
    original: "waiting: queue.waiting - discarded.length",
    replacement: "waiting: queue.waiting",
  },
  {
    name: "with a visitor's merge all is let go of that waits for the person",
    file: "delivery/unregistered.ts",
    original: "(sameProfile(unregistered, profile) || isMergeOf(row, unregistered))",
    replacement: "(sameProfile(unregistered, profile) || row.seq > 0)",
  },
  {
    name: "every report of being online ends back-off",
    file: "delivery/early-attempt.ts",
    original: "return last > now ? record : scheduled(record, next);",
    replacement: "return next > 0 ? attemptedNow(record, now) : scheduled(record, next);",
  },
  {
    name: "what a person waits for waits for company",
    file: "delivery/due.ts",
    original: " || rows.some(isAwaited)",
    replacement: "",
  },
  {
    name: "each event puts the burst off",
    file: "delivery/due.ts",
    original: "return last.dueAt <= dueAt ? record",
    replacement: "return dueAt <= last.dueAt ? record",
  },
  {
    name: "nobody wakes when a burst is due",
    file: "delivery/delivery.ts",
    original: 'plan.kind === "wait" || plan.kind === "gather" ? plan.until',
    replacement: 'plan.kind === "wait" ? plan.until',
  },
  {
    name: "what a batch left behind waits with what came after it",
    file: "delivery/sender.ts",
    original: "const isAll = batch.rows.length === waitingOf(record, profiles);",
    replacement: "const isAll = batch.rows.length > 0;",
  },
  {
    name: "a reservation is taken away as it starts",
    file: "delivery/lease.ts",
    original: "const isSending = holdsLease(record, hostId) && isLeased(record, now);",
    replacement:
      "if (record.lease?.startsAt !== undefined) return withLease(record, hostId, now, underLock); const isSending = false;",
  },
];
