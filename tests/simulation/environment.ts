/** What everything of one seed shares: time and chance, the plan, the record of what happened, and the service. */
import { PeopleService } from "../support/people-service.js";
import { Chronicle } from "./chronicle.js";
import { ACTION, isPoisonous } from "./events.js";
import type { Plan } from "./plan.js";
import { planOf } from "./plan.js";
import { Scheduler } from "./scheduler.js";

export class Environment {
  readonly scheduler: Scheduler;
  readonly plan: Plan;
  readonly chronicle: Chronicle;
  readonly service: PeopleService;
  #uuids = 0;

  constructor(seed: number, print?: (line: string) => void) {
    this.scheduler = new Scheduler(seed);
    this.plan = planOf(this.scheduler);
    this.chronicle = new Chronicle(this.scheduler, print);
    this.service = new PeopleService(this.scheduler, [ACTION]);
    this.service.isPoisonous = isPoisonous;
  }

  uuid(): string {
    return `00000000-0000-4000-8000-${(++this.#uuids).toString(16).padStart(12, "0")}`;
  }
}
