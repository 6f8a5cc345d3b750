/** Looks in time whether what had to be over by then is over. */
import type { Request } from "../callers/request.ts";
import type { World } from "../world.ts";
import { beginningDueMsOf, desertedDueMs, dueMsOf, stoppedDueMs, type DueTerms } from "./due.ts";
import { comparisonOf, type RequestRoll } from "./request-roll.ts";
import { Violation } from "./violation.ts";

export class DueWatch {
  readonly #world: World;
  readonly #roll: RequestRoll;

  constructor(world: World, roll: RequestRoll) {
    this.#world = world;
    this.#roll = roll;
  }

  began(request: Request): void {
    const { inbox } = request;
    this.#watch(
      request,
      (terms) => dueMsOf(request, terms),
      () => "goes on",
    );
    this.#watch(
      request,
      (terms) => beginningDueMsOf(request, terms),
      () => (inbox.headSent || inbox.hasLeft ? null : "has not begun"),
    );
  }

  /** Its caller is gone. Others may wait for the same answer. */
  left(request: Request): void {
    const roll = this.#roll;
    this.#watch(
      request,
      (terms) => desertedDueMs(request, roll.desertedAtMs(request), terms),
      () => (roll.isAwaited(request) ? null : "goes on although its caller has left"),
    );
  }

  /** What runs at the end of the grace period is cancelled. */
  stopping(graceMs: number): void {
    const graceEndMs = this.#world.agenda.nowMs + graceMs;
    for (const request of this.#roll.all()) {
      this.#watch(
        request,
        (terms) => stoppedDueMs(request, graceEndMs, terms),
        () => "goes on after the grace period",
      );
    }
  }

  /** `complaint`: what is wrong if it is not over by then; `null`: nothing. */
  #watch(request: Request, dueMsBy: (terms: DueTerms) => number, complaint: () => string | null): void {
    const { agenda } = this.#world;
    const look = (): void => {
      const wrong = request.overAtMs === null ? complaint() : null;
      if (wrong === null) return;
      const dueMs = dueMsBy(this.#terms(request));
      if (agenda.nowMs < dueMs) {
        agenda.after(dueMs - agenda.nowMs + 1, look);
        return;
      }
      const lastedMs = Math.round(agenda.nowMs - request.startedMs);
      this.#world.violate(new Violation("overdue", `${request.id} ${wrong} after ${lastedMs} ms.`));
    };
    const dueMs = dueMsBy(this.#terms(request));
    if (dueMs !== Infinity) agenda.after(dueMs - agenda.nowMs, look);
  }

  /** Who shares an answer waits for the store with whoever makes it. */
  #terms(request: Request): DueTerms {
    const { agenda, scenario, books } = this.#world;
    return {
      config: scenario.config,
      allowances: scenario.allowances.length,
      storeMs: this.#roll.sharersOf(request).reduce((sumMs, other) => {
        return sumMs + books.waitedMs(other.id) + books.waitedMs(comparisonOf(other));
      }, 0),
      nowMs: agenda.nowMs,
    };
  }
}
