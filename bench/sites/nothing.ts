/** What the measuring itself costs: a call that does nothing. */
import { present } from "./subject.js";

present({ init: async () => {}, track: () => {} });
