/**
 * Runs in pages of a browser that no driver can steer: asks the test what to do, does it, and tells what came out with
 * the next question. One request at a time, for a browser keeps few connections to one host.
 */
const server = new URL(import.meta.url).origin;
const tab = new URLSearchParams(location.hash.slice(1)).get("tab");
const post = (path, body) =>
  fetch(`${server}/${path}?tab=${tab}`, { method: "POST", body: JSON.stringify(body ?? null) });

const perform = async ({ work, args, last }) => {
  // Its headers come at once, its body never ends: that it is cut tells the test that this page is gone.
  if (last) await post("alive");
  try {
    const module = await import(`data:text/javascript,${encodeURIComponent(`export default ${work}`)}`);
    return { value: await module.default(...args) };
  } catch (error) {
    return { error: String(error) };
  }
};

let following;
const follow = async () => {
  const { signal } = (following = new AbortController());
  let answer = null;
  while (!signal.aborted) {
    const body = JSON.stringify(answer);
    const response = await fetch(`${server}/next?tab=${tab}`, { method: "POST", body, signal });
    answer = await perform(await response.json());
  }
};
const start = () => void follow().catch(() => {}); // the page goes, or the test is over

// A page in the back-forward cache has no request under way. What it was doing when it went, it does not go on with.
addEventListener("pagehide", () => following.abort());
addEventListener("pageshow", ({ persisted }) => persisted && start());
start();
