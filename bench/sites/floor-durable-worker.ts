/** Reads one row and stores another in one transaction, and responds once it is on disk. */
const opening = new Promise<IDBDatabase>((resolve) => {
  const request = indexedDB.open("floor", 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore("rows"));
  request.addEventListener("success", () => resolve(request.result));
});

const store = async (row: unknown, stored: () => void): Promise<void> => {
  const transaction = (await opening).transaction("rows", "readwrite", { durability: "relaxed" });
  const rows = transaction.objectStore("rows");
  rows.get("last").addEventListener("success", () => {
    rows.put(row, "last");
    transaction.commit();
  });
  transaction.addEventListener("complete", stored);
};

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  port!.addEventListener(
    "message",
    ({ data }: MessageEvent<unknown>) => void store(data, () => port!.postMessage("stored")),
  );
  port!.start();
});
