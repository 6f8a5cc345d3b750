/**
 * A request's places in front of its targets. It has one allowance of waiting for each target (`queue.waitMs`): what it
 * waits in the line of one that is slowed down, before it waits for a slot there, and for its next call of it, adds up.
 */
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

/** Returns at once, with a pass that may have to wait. */
interface Line {
  enter(request: QueueRequest): Pass;
}

/**
 * Takes the request's place in front of its target. `null`: the target is not bounded. Throws `overloaded`,
 * `shutting_down`, and `invalid_header` for a priority that there is not.
 */
export function enterQueue(queues: TargetQueues, queueing: Queueing, { target }: ChosenTarget): Pass | null {
  // A bad priority is refused whether the target is bounded or not.
  const priority = priorityOf(queueing);
  const queue = queues.find(target.provider, target.facts.model);
  return queue === null ? null : enter(queue, queueing, target, priority);
}

/** The same in the line of a target that is slowed down; to be left as soon as its turn has come. Throws `target_limited` as well. */
export function enterSlowed(queues: TargetQueues, queueing: Queueing, { target }: ChosenTarget): Pass | null {
  const slowed = queues.slowed.find(target.provider, target.facts.model);
  return slowed === null ? null : enter(slowed, queueing, target, priorityOf(queueing));
}

function priorityOf({ exchange, view }: Queueing): Priority {
  return readPriority(exchange.incoming.headers, view.serviceTier);
}

function enter(line: Line, queueing: Queueing, target: Target, priority: Priority): Pass {
  const { exchange } = queueing;
  const pass = line.enter(placeFor(queueing, target, priority));
  if (pass.ready !== null) exchange.placesInLine = [...exchange.placesInLine, { target: target.name, pass }];
  return pass;
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
    waitedMs: waitedFor(exchange, target),
    dueMs: queueing.dueMs(),
  };
}

function waitedFor({ placesInLine }: Exchange, { name }: Target): number {
  let waitedMs = 0;
  for (const { target, pass } of placesInLine) if (target === name) waitedMs += pass.waitedMs;
  return waitedMs;
}
