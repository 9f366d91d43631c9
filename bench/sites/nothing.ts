/** A call that does nothing, which shows what the measurement itself costs. */
import { present } from "./subject.js";

present({ init: async () => {}, track: () => {} });
