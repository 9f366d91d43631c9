/** The page's side of a floor whose worker answers each event: once it is ready, and then one message an event. */
import { present } from "./subject.js";

export const presentAnswered = (open: () => SharedWorker): void => {
  let port: MessagePort;
  const waiting: (() => void)[] = [];
  const answered = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  present({
    init: () => {
      ({ port } = open());
      port.addEventListener("message", () => waiting.shift()?.());
      port.start();
      return answered();
    },
    track: (event) => {
      port.postMessage(event);
      return answered();
    },
  });
};
