/**
 * Every run of the suites tries the same inputs. `npm run test:soak` draws others, by `FAST_CHECK_SEED`; with the seed of a
 * run that failed it is the same run again.
 */
import * as fc from "fast-check";

const seed = Number(process.env["FAST_CHECK_SEED"] ?? 4_031);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
