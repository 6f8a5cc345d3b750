/**
 * Tells the webhook of alerts, each at least once and always under the same id: a receiver that has seen the id forgets
 * the repetition.
 *
 *   due ──claim──▶ under way ──2xx──▶ delivered
 *    ▲                 ├─ failed ──▶ due again, later each time; after the last try, or at 410: given up
 *    └─ its time comes ┘ the process died: the claim moved the next try on, so another process makes it
 *
 * Invariant: a try is claimed by moving the next one on before it is made, so no two processes make the same one.
 */
import type { Kysely } from "kysely";
import type { Database } from "../../storage/schema.ts";
import { decimalAmount, unitOf } from "../amount-text.ts";
import { type Alert, listDueAlerts } from "./alert.ts";
import { callWebhook, type Webhook, type WebhookDeps } from "./webhook.ts";

export interface DeliveryDeps extends WebhookDeps {
  readonly db: Kysely<Database>;
  /** Uniform in [0, 1): spreads the tries of alerts that failed together. */
  readonly random: () => number;
  readonly events: DeliveryEvents;
}

export interface DeliveryEvents {
  /** A try failed; `givenUp`: none follows. */
  deliveryFailed(alert: Alert, reason: string, givenUp: boolean): void;
}

const DELIVERED_AT_ONCE = 10;
/** 5 s, 20 s, 80 s, … up to six hours: about a day and a half in all. */
const FIRST_WAIT_MS = 5000;
const WAIT_FACTOR = 4;
const WAIT_MAX_MS = 6 * 3_600_000;
const TRIES_MAX = 12;
const GONE = 410;

/** Makes the tries that are due; all are over when it ends. A webhook's failure does not reject, the store's does, and so does the signal. */
export async function deliverAlerts(deps: DeliveryDeps, webhook: Webhook, signal: AbortSignal): Promise<void> {
  const due = await listDueAlerts(deps.db, deps.clock.wallMs(), DELIVERED_AT_ONCE);
  const tries = await Promise.allSettled(due.map((alert) => deliver(deps, webhook, alert, signal)));
  for (const each of tries) if (each.status === "rejected") throw each.reason;
}

async function deliver(deps: DeliveryDeps, webhook: Webhook, alert: Alert, signal: AbortSignal): Promise<void> {
  const claimed = await claim(deps, alert);
  if (!claimed) return;
  const failure = await tryOnce(deps, webhook, alert, signal);
  signal.throwIfAborted();
  if (failure === null) {
    const deliveredAtMs = deps.clock.wallMs();
    return await write(deps, alert, { delivered_at_ms: deliveredAtMs, next_try_at_ms: null, last_failure: null });
  }
  const givenUp = failure.final || alert.delivery.tries + 1 >= TRIES_MAX;
  await write(deps, alert, { last_failure: failure.reason, ...(givenUp ? { next_try_at_ms: null } : {}) });
  deps.events.deliveryFailed(alert, failure.reason, givenUp);
}

interface TryFailure {
  readonly reason: string;
  readonly final: boolean;
}

async function tryOnce(
  deps: DeliveryDeps,
  webhook: Webhook,
  alert: Alert,
  signal: AbortSignal,
): Promise<TryFailure | null> {
  try {
    const status = await callWebhook(deps, webhook, { id: alert.id, body: renderBody(alert) }, signal);
    if (status >= 200 && status < 300) return null;
    return { reason: `the webhook answered with status ${status}`, final: status === GONE };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error), final: false };
  }
}

/** False: another process was faster. */
async function claim({ db, clock, random }: DeliveryDeps, { accountId, percent, delivery }: Alert): Promise<boolean> {
  const wait = Math.min(FIRST_WAIT_MS * WAIT_FACTOR ** delivery.tries, WAIT_MAX_MS);
  const spread = Math.round(wait * (0.9 + 0.2 * random()));
  const { numUpdatedRows } = await db
    .updateTable("allowance_alerts")
    .set({ tries: delivery.tries + 1, next_try_at_ms: clock.wallMs() + spread })
    .where("account_id", "=", accountId)
    .where("percent", "=", percent)
    .where("tries", "=", delivery.tries)
    .where("next_try_at_ms", "=", delivery.nextTryAtMs)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

async function write(
  { db }: DeliveryDeps,
  { accountId, percent }: Alert,
  columns: Partial<Database["allowance_alerts"]>,
): Promise<void> {
  await db
    .updateTable("allowance_alerts")
    .set(columns)
    .where("account_id", "=", accountId)
    .where("percent", "=", percent)
    .execute();
}

/** The event as Standard Webhooks advises: type, time of the event, data. Amounts are exact decimal text. */
function renderBody(alert: Alert): string {
  const { allowance, subject, windowStartMs, windowEndMs, percent, spent, limit, raisedAtMs } = alert;
  return JSON.stringify({
    type: "allowance.threshold_passed",
    timestamp: toIso(raisedAtMs),
    data: {
      allowance: { id: allowance.id, name: allowance.name, mode: allowance.mode },
      tenantId: allowance.tenantId,
      subject: subject === "" ? null : subject,
      window: allowance.window,
      windowStart: windowEndMs === null ? null : toIso(windowStartMs),
      windowEnd: windowEndMs === null ? null : toIso(windowEndMs),
      percent,
      unit: unitOf(allowance.meter),
      spent: decimalAmount(allowance.meter, spent),
      limit: decimalAmount(allowance.meter, limit),
    },
  });
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
