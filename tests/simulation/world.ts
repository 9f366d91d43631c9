/** Everything of one seed: the scheduler, the service, and browsers that share nothing else. */
import { PeopleService } from "../support/people-service.js";
import { Browser } from "./browser.js";
import { Chronicle } from "./chronicle.js";
import { ACTION, isPoisonous } from "./events.js";
import type { Plan } from "./plan.js";
import { planOf } from "./plan.js";
import { Scheduler } from "./scheduler.js";

export class World {
  readonly scheduler: Scheduler;
  readonly plan: Plan;
  readonly chronicle: Chronicle;
  readonly service: PeopleService;
  readonly browsers: Browser[] = [];
  #uuids = 0;

  constructor(seed: number, print?: (line: string) => void) {
    this.scheduler = new Scheduler(seed);
    this.plan = planOf(this.scheduler);
    this.chronicle = new Chronicle(this.scheduler, print);
    this.service = new PeopleService(this.scheduler, [ACTION]);
    this.service.isPoisonous = isPoisonous;
    for (let n = 1; n <= this.plan.browsers; n++) this.browsers.push(new Browser(this, `b${n}`));
  }

  uuid(): string {
    return `00000000-0000-4000-8000-${(++this.#uuids).toString(16).padStart(12, "0")}`;
  }
}
