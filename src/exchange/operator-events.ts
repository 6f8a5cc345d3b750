/**
 * What limits, alerts and the health of targets tell the operator, as log lines. What happens on the request path is told once a minute for each
 * allowance, with how often it happened, however many requests there are.
 */
import type { Clock } from "../kernel/clock.ts";
import type { AlertEvents } from "../limits/alerts/alerts.ts";
import type { Allowance } from "../limits/allowance.ts";
import { decimalAmount } from "../limits/amount-text.ts";
import type { LimitsEvents } from "../limits/create-limits.ts";
import type { SlowedEvents } from "../limits/queue/slowed/slowed-targets.ts";
import type { HealthEvents } from "../routing/health/health.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

interface EventsDeps {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

const TOLD_EVERY_MS = 60_000;
/** Allowances that are kept apart; when there are more it begins anew. */
const ALLOWANCES_MAX = 10_000;

export function createLimitsEvents({ clock, telemetry }: EventsDeps): LimitsEvents {
  const told = new Map<string, { atMs: number; since: number }>();

  function tell(message: string, { id, name, scope }: Allowance, subject: string): void {
    const nowMs = clock.monotonicMs();
    const last = told.get(id);
    if (last !== undefined && nowMs - last.atMs < TOLD_EVERY_MS) {
      last.since++;
      return;
    }
    if (told.size >= ALLOWANCES_MAX) told.clear();
    told.set(id, { atMs: nowMs, since: 0 });
    const more = last === undefined || last.since === 0 ? {} : { notTold: last.since };
    telemetry.warn(message, { allowance: name, allowanceId: id, tenantId: scope.tenantId, subject, ...more });
  }

  return {
    softLimitPassed: (allowance, subject) => tell("a soft limit is passed; the request goes on", allowance, subject),
    shadowRefusal: (allowance, subject) => tell("a shadow limit would have refused a request", allowance, subject),
    bankUnreachable: (cause) =>
      telemetry.backgroundFailed(
        "asking the store for grants; requests go on from those in hand until the lease ends",
        cause,
      ),
    bankReachable: () => telemetry.lifecycle("the store can be asked for grants again"),
    fenced: (ownerId) =>
      telemetry.warn(
        "this process was out of touch with the store for longer than its lease; it goes on under another owner, and what it had been granted is explained by its journal",
        { ownerId },
      ),
  };
}

export function createAlertEvents({ telemetry }: Pick<EventsDeps, "telemetry">): AlertEvents {
  return {
    alertRaised({ allowance, subject, percent, spent, limit, accountId }) {
      const { name, meter, tenantId } = allowance;
      telemetry.warn(`${percent} % of an allowance are used`, {
        allowance: name,
        tenantId,
        subject,
        accountId,
        spent: decimalAmount(meter, spent),
        limit: decimalAmount(meter, limit),
      });
    },
    deliveryFailed(alert, reason, givenUp) {
      const details = { alert: alert.id, allowance: alert.allowance.name, reason };
      telemetry.warn(
        givenUp
          ? "the webhook could not be told of an alert; given up"
          : "the webhook could not be told of an alert yet",
        details,
      );
    },
    passFailed: (cause) => telemetry.backgroundFailed("looking for alerts", cause),
  };
}

export function createSlowedEvents(telemetry: Telemetry): SlowedEvents {
  return {
    slowedDown: (target) =>
      telemetry.warn("a provider limits the rate of a target; calls leave for it as it takes them", { target }),
  };
}

export function createHealthEvents(telemetry: Telemetry): HealthEvents {
  return {
    leftAlone(target, reason, forMs) {
      const message =
        reason === "failures"
          ? "calls of a target fail; it is left alone and then probed"
          : "a provider limits the rate of a target; it is left alone for as long as was asked and then probed";
      telemetry.warn(message, { target, forMs: Math.round(forMs) });
    },
    calledAgain: (target) => telemetry.lifecycle("a target answers again", { target }),
  };
}
