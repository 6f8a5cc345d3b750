/**
 * Alerts: an account that has passed one of its allowance's thresholds is told to the operator, once for each account and
 * percent: in the log, in the list that the store keeps, and to the webhook if there is one.
 *
 * A pass every few seconds looks for them and makes the webhook tries that are due. One process at a time does it, by a
 * lease; what is raised or sent stays right when two do (`raise.ts`, `delivery.ts`), so a lease that two clocks read
 * differently is no harm. A process that starts goes on where another stopped.
 */
import { repeat } from "../../kernel/repeat.ts";
import { releaseLease, takeLease } from "../../storage/leases.ts";
import type { Alert } from "./alert.ts";
import { deliverAlerts, type DeliveryDeps, type DeliveryEvents } from "./delivery.ts";
import { raiseAlerts, type RaiseDeps } from "./raise.ts";
import type { Webhook } from "./webhook.ts";

export interface AlertEvents extends DeliveryEvents {
  /** Called by the one process that raised it. */
  alertRaised(alert: Alert): void;
  /** A pass failed for another reason than the webhook; told once until one succeeds. */
  passFailed(cause: unknown): void;
}

export interface AlertsDeps extends RaiseDeps, DeliveryDeps {
  /** Who holds the lease: this process. */
  readonly instanceId: string;
  /** The one configured now; `null`: none. Alerts raised while there is none are not delivered later. */
  readonly webhook: () => Webhook | null;
  readonly events: AlertEvents;
  /** Between two passes. Default 5000. */
  readonly intervalMs?: number;
}

const LEASE = "alerts";
/** Longer than a pass takes whose webhook does not answer. */
const LEASE_MS = 30_000;
const INTERVAL_MS = 5000;

/** The first pass is after one interval. Disposing ends the tries under way, whose alerts another process tries again. */
export function startAlerts(deps: AlertsDeps): AsyncDisposable {
  const closing = new AbortController();
  let failing = false;
  const schedule = repeat(deps.clock, deps.intervalMs ?? INTERVAL_MS, async () => {
    try {
      await pass(deps, closing.signal);
      failing = false;
    } catch (cause) {
      if (!closing.signal.aborted && !failing) deps.events.passFailed(cause);
      failing = true;
    }
  });
  return {
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("the gateway stops"));
      await schedule[Symbol.asyncDispose]();
      await releaseLease(deps.db, LEASE, deps.instanceId).catch((cause: unknown) => deps.events.passFailed(cause));
    },
  };
}

async function pass(deps: AlertsDeps, signal: AbortSignal): Promise<void> {
  const nowMs = deps.clock.wallMs();
  if (!(await takeLease(deps.db, LEASE, deps.instanceId, LEASE_MS, nowMs))) return;
  const webhook = deps.webhook();
  for (const alert of await raiseAlerts(deps, { nowMs, deliver: webhook !== null })) deps.events.alertRaised(alert);
  if (webhook !== null) await deliverAlerts(deps, webhook, signal);
}
