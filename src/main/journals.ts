/**
 * Takes in what other pages left behind: at the start of a page, and when one writes its journal while this one lives.
 * Commands go to the host under their own page's id, whose numbers decide that each counts once, also where two pages
 * take in the same journal. A key is removed only once the host has decided.
 */
import { toJson } from "../protocol/json.js";
import type { HostConnection } from "./host-connection.js";

/** A live page removes its journal itself, once it is answered. */
const GRACE_MS = 1000;
/** A host that says nothing by then leaves a journal to the next page. */
const ANSWER_MS = 10_000;
/** So long hosts remember which numbers of a page are decided; older ones could count twice. */
const LIFETIME_MS = 45 * 24 * 60 * 60 * 1000;
/** Well over what is ever written. */
const MAX_LENGTH = 512 * 1024;
/** In UTF-16 units, of the some five million that all of a site shares. */
const MAX_KEPT = 1024 * 1024;
const PAGE_ID = /^[a-z0-9]{16}$/;
/** In 2 each event says its own page. */
const VERSIONS = [2, 3];
const TYPES = /^(track|pageView|updatePerson|appendToList|liveChat)$/;

/** Without localStorage, or with one that is gone between two looks, there is nothing to take in. */
const harmless = (work: Promise<unknown>): void => void work.catch(() => {});

/** @param prefix - what the keys of the namespace's journals begin with; the page's id follows */
export const takeInJournals = (connection: HostConnection, prefix: string, signal: AbortSignal): void => {
  // Closed while this was loaded.
  if (signal.aborted) return;
  const take = async (key: string): Promise<void> => {
    const pageId = key.slice(prefix.length);
    const text = localStorage.getItem(key);
    // This page's own is its own affair.
    if (!isJournal(key, prefix) || pageId === connection.pageId || text === null) return;
    const batches = readJournal(text, pageId, Date.now() + connection.clockSkewMs());
    if (!batches) return;
    const answers = await Promise.all(
      batches.map((batch) => connection.ask("submit", () => [pageId, batch], ANSWER_MS)),
    );
    const refusals = answers.flat();
    if (refusals.some((refusal) => !refusal || refusal.undecided)) return;
    const [refusal] = refusals;
    if (refusal)
      console.warn?.(`Of what a closed page left behind, some was refused: ${refusal.error.message}`);
    // Its page may have added to it in the meantime, which tells itself by another event.
    if (localStorage.getItem(key) === text) localStorage.removeItem(key);
  };
  addEventListener(
    "storage",
    ({ key, newValue, storageArea }) => {
      if (!key?.startsWith(prefix) || newValue === null) return;
      setTimeout(() => {
        if (!signal.aborted && storageArea?.getItem(key) === newValue) harmless(take(key));
      }, GRACE_MS);
    },
    { signal },
  );
  harmless(
    (async () => {
      await Promise.all(Object.keys(localStorage).map(take));
      dropOldest(prefix);
    })(),
  );
};

/** What no host could take in must not fill what the site keeps there: the oldest beyond the bound is lost, and told. */
const dropOldest = (prefix: string): void => {
  const kept = Object.keys(localStorage)
    .filter((key) => isJournal(key, prefix))
    .map((key) => ({ key, text: localStorage.getItem(key) ?? "" }))
    .map((journal) => ({ ...journal, at: writtenAt(journal.text) }))
    .toSorted((a, b) => b.at - a.at);
  let length = 0;
  for (const { key, text } of kept) {
    length += text.length;
    if (length <= MAX_KEPT) continue;
    localStorage.removeItem(key);
    console.warn?.("What a closed page left behind is lost: the tracker's journals were full for too long.");
  }
};

const writtenAt = (text: string): number => {
  try {
    return Number((JSON.parse(text) as { at?: unknown } | null)?.at) || 0;
  } catch {
    return 0;
  }
};

export const eraseJournals = (prefix: string): void => {
  try {
    for (const key of Object.keys(localStorage)) if (isJournal(key, prefix)) localStorage.removeItem(key);
  } catch {
    // Where there is no localStorage there are no journals.
  }
};

/** Another namespace's name may begin with the same letters. */
const isJournal = (key: string, prefix: string): boolean =>
  key.startsWith(prefix) && PAGE_ID.test(key.slice(prefix.length));

/**
 * The batches that a journal holds, each as hosts take it: none where it is broken or too old and only to be removed,
 * `null` where it is to be left for the version that knows it.
 */
export const readJournal = (text: string, ofPage: string, now: number): string[] | null => {
  if (text.length > MAX_LENGTH) return [];
  try {
    const { v, pageId, at, batches } = JSON.parse(text) as Record<string, unknown>;
    if (typeof v !== "number" || Number(at) < now - LIFETIME_MS) return [];
    if (!VERSIONS.includes(v)) return null;
    return pageId === ofPage && Array.isArray(batches) ? batches.flatMap(readBatch) : [];
  } catch {
    return []; // no JSON, or that of something else
  }
};

const readBatch = (batch: unknown): string[] => {
  const { commands, page, generation, sessionTimeoutMs, maxWaiting } = Object(batch) as Record<
    string,
    unknown
  >;
  if (!Array.isArray(commands)) return [];
  const head = { generation, sessionTimeoutMs, maxWaiting };
  const known = commands.filter((command: object) => isCommand({ ...head, ...command }));
  return known.length ? [toJson({ ...head, page, commands: known })] : [];
};

const isCommand = (given: unknown): boolean => {
  const { type, n, at, generation, sessionTimeoutMs, maxWaiting } = Object(given) as Record<string, unknown>;
  const isActivity = type === "track" || type === "pageView";
  const numbers = [
    at,
    generation,
    ...(isActivity ? [sessionTimeoutMs] : []),
    ...(type === "liveChat" ? [] : [maxWaiting]),
  ];
  return (
    TYPES.test(String(type)) && Number.isSafeInteger(n) && Number(n) > 0 && numbers.every(Number.isFinite)
  );
};
