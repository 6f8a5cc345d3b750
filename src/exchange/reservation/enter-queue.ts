import { meterInput } from "../../accounting/estimate.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import type { Pass, QueueRequest } from "../../limits/queue/pass.ts";
import { readPriority, type Priority } from "../../limits/queue/priority.ts";
import { tenantWeight, type TargetQueues } from "../../limits/queue/queue.ts";
import type { Target } from "../../routing/plan.ts";
import type { Principal } from "../../tenancy/principal.ts";
import type { ChosenTarget } from "../attempt/choose.ts";
import type { Exchange } from "../exchange.ts";

/** Output that is expected of a request that does not bound it, in tokens: what fairness is counted in until usage is known. */
const expectedOutputTokens = 512;

/** What a place is taken for. */
export interface Queueing {
  readonly exchange: Exchange;
  readonly view: RequestView;
  readonly principal: Principal;
  /** When everything must be over, monotonic. */
  dueMs(): number;
}

/**
 * Takes the request's place in front of its target. `null`: the target is not bounded. Throws `overloaded`,
 * `shutting_down`, and `invalid_header` for a priority that there is not.
 */
export function enterQueue(queues: TargetQueues, queueing: Queueing, { target }: ChosenTarget): Pass | null {
  const priority = readPriority(queueing.exchange.incoming.headers, queueing.view.serviceTier);
  return queues.find(target.provider, target.facts.model)?.enter(placeFor(queueing, target, priority)) ?? null;
}

/** The same in the line of a target that is slowed down; to be left as soon as its turn has come. Throws `target_limited` as well. */
export function enterSlowed(queues: TargetQueues, queueing: Queueing, { target }: ChosenTarget): Pass | null {
  const slowed = queues.slowed.find(target.provider, target.facts.model);
  if (slowed === null) return null;
  const priority = readPriority(queueing.exchange.incoming.headers, queueing.view.serviceTier);
  return slowed.enter(placeFor(queueing, target, priority));
}

function placeFor(queueing: Queueing, target: Target, priority: Priority): QueueRequest {
  const { exchange, view, principal } = queueing;
  const output = Math.min(view.maxOutputTokens ?? expectedOutputTokens, expectedOutputTokens);
  return {
    tenantId: principal.payer.tenantId,
    weight: tenantWeight(exchange.snapshot.config.queue, principal.tenantName),
    priority,
    cost: meterInput(view.document.bytes) + output * view.choices,
    waitMs: priority === "batch" ? target.queue.batchWaitMs : target.queue.waitMs,
    dueMs: queueing.dueMs(),
  };
}
