import { meterInput } from "../../accounting/estimate.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import type { Pass } from "../../limits/queue/pass.ts";
import { readPriority } from "../../limits/queue/priority.ts";
import { tenantWeight, type TargetQueues } from "../../limits/queue/queue.ts";
import type { Principal } from "../../tenancy/principal.ts";
import type { ChosenTarget } from "../attempt/choose.ts";
import type { Exchange } from "../exchange.ts";

/** Output that is expected of a request that does not bound it, in tokens: what fairness is counted in until usage is known. */
const expectedOutputTokens = 512;

/**
 * Takes the request's place in front of its target; `dueMs`: when everything must be over, monotonic. `null`: the target is not bounded. Throws `overloaded`,
 * `shutting_down`, and `invalid_header` for a priority that there is not.
 */
export function enterQueue(
  queues: TargetQueues,
  exchange: Exchange,
  view: RequestView,
  principal: Principal,
  { target }: ChosenTarget,
  dueMs: number,
): Pass | null {
  const priority = readPriority(exchange.incoming.headers, view.serviceTier);
  const queue = queues.find(target.provider, target.facts.model);
  if (queue === null) return null;
  const output = Math.min(view.maxOutputTokens ?? expectedOutputTokens, expectedOutputTokens);
  return queue.enter({
    tenantId: principal.payer.tenantId,
    weight: tenantWeight(exchange.snapshot.config.queue, principal.tenantName),
    priority,
    cost: meterInput(view.document.bytes) + output * view.choices,
    waitMs: priority === "batch" ? target.queue.batchWaitMs : target.queue.waitMs,
    dueMs,
  });
}
