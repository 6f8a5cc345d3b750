/**
 * The targets of one provider without a configured bound, while bounds are found out: one for each model, from the first
 * call on. Models are named by callers, so those that are idle are dropped when there are many; what was found out of
 * them is lost. As many remain as are in use, which the number of requests bounds.
 */
import type { QueuedTarget } from "./queued-target.ts";

const SWEEP_SIZE_MIN = 256;

export class OnDemandTargets {
  readonly #create: (model: string) => QueuedTarget;
  readonly #byModel = new Map<string, QueuedTarget>();
  #sweepSize = SWEEP_SIZE_MIN;

  constructor(create: (model: string) => QueuedTarget) {
    this.#create = create;
  }

  /** By the provider's name of the model. */
  find(model: string): QueuedTarget {
    const known = this.#byModel.get(model);
    if (known !== undefined) return known;
    if (this.#byModel.size >= this.#sweepSize) this.#sweep();
    const target = this.#create(model);
    this.#byModel.set(model, target);
    return target;
  }

  entries(): Iterable<readonly [model: string, QueuedTarget]> {
    return this.#byModel;
  }

  #sweep(): void {
    for (const [model, target] of this.#byModel) if (target.isIdle) this.#byModel.delete(model);
    this.#sweepSize = Math.max(SWEEP_SIZE_MIN, 2 * this.#byModel.size);
  }
}
