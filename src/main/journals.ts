/**
 * Takes in the journals of other pages: at the start of a page, and when another one writes its journal while this one
 * lives. Commands go to the host under their own page's id and numbers, so that each is stored exactly once, also where
 * two pages take in the same journal. A key is removed only once the host has decided all of it.
 */
import { toJson } from "../protocol/json.js";
import type { HostConnection } from "./host/host-connection.js";

/** A live page removes its journal itself, once the host has responded. */
const GRACE_MS = 1000;
/** Where the host has not responded by then, the journal is left to the next page. */
const RESPONSE_TIMEOUT_MS = 10_000;
/** Hosts remember for this long which commands of a page are processed; older ones could be stored twice. */
const LIFETIME_MS = 45 * 24 * 60 * 60 * 1000;
/** Well over what is ever written. */
const MAX_LENGTH = 512 * 1024;
/** In UTF-16 units, of the some five million that all of a site shares. */
const MAX_KEPT = 1024 * 1024;
const PAGE_ID = /^[a-z0-9]{16}$/;
/** In version 2 each event has its own page. */
const VERSIONS = [2, 3];
const TYPES = /^(track|pageView|updatePerson|appendToList|liveChat)$/;

/** Without localStorage, or with one that is gone between two looks, there is nothing to take in. */
const ignoreErrors = (work: Promise<unknown>): void => void work.catch(() => {});

/** @param prefix - what the keys of the namespace's journals begin with; the page's id follows */
export const takeInJournals = (connection: HostConnection, prefix: string, signal: AbortSignal): void => {
  // Closed while this was loaded.
  if (signal.aborted) return;
  const take = async (key: string): Promise<void> => {
    const pageId = key.slice(prefix.length);
    const text = localStorage.getItem(key);
    // Its own journal is written and removed by the queue.
    if (!isJournal(key, prefix) || pageId === connection.pageId || text === null) return;
    const batches = readJournal(text, pageId, Date.now() + connection.clockSkewMs());
    if (!batches) return;
    const responses = await Promise.all(
      batches.map((batch) =>
        connection.request("submit", () => [pageId, batch], RESPONSE_TIMEOUT_MS).catch(() => undefined),
      ),
    );
    const refusals = responses.flat();
    if (refusals.some((refusal) => !refusal || refusal.undecided)) return;
    const [refusal] = refusals;
    if (refusal)
      console.warn?.(`Some calls of a page that was closed were refused: ${refusal.error.message}`);
    // Its page may have added to it in the meantime; another event reports that.
    if (localStorage.getItem(key) === text) localStorage.removeItem(key);
  };
  addEventListener(
    "storage",
    ({ key, newValue, storageArea }) => {
      if (!key?.startsWith(prefix) || newValue === null) return;
      setTimeout(() => {
        if (!signal.aborted && storageArea?.getItem(key) === newValue) ignoreErrors(take(key));
      }, GRACE_MS);
    },
    { signal },
  );
  ignoreErrors(
    (async () => {
      await Promise.all(Object.keys(localStorage).map(take));
      dropOldest(prefix);
    })(),
  );
};

/** Journals that no host could take in must not fill the site's storage: the oldest beyond the bound are lost, with a warning. */
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
    console.warn?.(
      "Calls of a page that was closed are lost: no tracker could take them in, and there is no room for more.",
    );
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
