/** Alerts from the passing of a threshold to the receiver of the webhook, on a real connection and a clock of the test's own. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { type Alert, listAlerts, stateOfDelivery } from "../../src/limits/alerts/alert.ts";
import { type AlertsDeps, startAlerts } from "../../src/limits/alerts/alerts.ts";
import type { Webhook } from "../../src/limits/alerts/webhook.ts";
import type { Allowance } from "../../src/limits/allowance.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { setAllowance } from "../../src/limits/operations/change.ts";
import { createUndiciTransport } from "../../src/providers/undici-transport.ts";
import { eventually } from "../support/eventually.ts";
import { type LocalServer, startLocalServer } from "../support/local-server.ts";
import { type AllowancePlace, openAllowances } from "./allowance-place.ts";
import { engines } from "./engines.ts";

const PASS_MS = 5000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KEY = Buffer.from("0123456789abcdef0123456789abcdef");
const everything = { tenantId: null, allowanceId: null, limit: 100 };

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Receiver extends LocalServer {
  readonly calls: readonly Call[];
  readonly webhook: Webhook;
}

/** Answers with these statuses in turn, the last one again and again. */
async function startReceiver(...statuses: readonly number[]): Promise<Receiver> {
  const calls: Call[] = [];
  const server = await startLocalServer((request, response) => {
    void text(request).then((body) => {
      calls.push({ headers: request.headers, body });
      response.writeHead(statuses[calls.length - 1] ?? statuses.at(-1) ?? 200).end("noted");
    });
  });
  return { ...server, calls, webhook: { url: `${server.url}/hook?team=1`, secret: `whsec_${KEY.toString("base64")}` } };
}

/** What one gateway process tells, while it runs. */
interface Watch extends AsyncDisposable {
  readonly raised: Alert[];
  readonly failures: (readonly [reason: string, givenUp: boolean])[];
  readonly broken: unknown[];
  /** Passes that are over. */
  readonly passes: number;
}

function watch(deps: AllowancePlace, webhook: Webhook | null, instanceId = "ins_1"): Watch {
  const [raised, failures, broken]: [Alert[], [string, boolean][], unknown[]] = [[], [], []];
  const transport = createUndiciTransport({ connectTimeoutMs: 1000, connectionsMax: 10 });
  const events: AlertsDeps["events"] = {
    alertRaised: (alert) => void raised.push(alert),
    deliveryFailed: (_, reason, givenUp) => void failures.push([reason, givenUp]),
    passFailed: (cause) => void broken.push(cause),
  };
  let begun = 0;
  const clock: Clock = {
    ...deps.clock,
    setTimer(fire, delayMs) {
      if (delayMs === PASS_MS) begun++;
      return deps.clock.setTimer(fire, delayMs);
    },
  };
  const running = startAlerts({
    db: deps.db,
    ids: deps.ids,
    clock,
    transport,
    random: () => 0.5,
    webhook: () => webhook,
    instanceId,
    events,
    intervalMs: PASS_MS,
  });
  return {
    raised,
    failures,
    broken,
    get passes() {
      return begun - 1;
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await transport[Symbol.asyncDispose]();
    },
  };
}

/** Lets so much time go by, in steps of a pass. */
async function elapse(deps: AllowancePlace, ms: number, ...processes: readonly Watch[]): Promise<void> {
  for (let elapsedMs = 0; elapsedMs < ms; elapsedMs += PASS_MS) await leap(deps, PASS_MS, ...processes);
}

/** Lets so much time go by in one step, after which each process makes one pass. */
async function leap(deps: AllowancePlace, ms: number, ...processes: readonly Watch[]): Promise<void> {
  const before = processes.map(({ passes }) => passes);
  deps.clock.advance(ms);
  await eventually("a pass is over", () => processes.every(({ passes }, index) => passes > (before[index] ?? 0)));
}

async function spend(deps: AllowancePlace, allowance: Allowance, amount: bigint, subject = ""): Promise<void> {
  await deps.use(allowance, amount, amount, subject);
}

function passed(alerts: readonly Alert[]): readonly unknown[] {
  return alerts.map(({ subject, percent, spent, limit }) => [subject, percent, spent, limit]);
}

for (const engine of engines) {
  describe(`alerts on ${engine.name}`, () => {
    test("a threshold is told once it is passed, each for itself, and not again in the same window", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create({ window: "day", alertPercents: [80, 100] });
      await using process = watch(deps, null);
      await spend(deps, allowance, 799n);
      await elapse(deps, PASS_MS, process);
      assert.deepEqual(process.raised, []);
      await spend(deps, allowance, 1n);
      await elapse(deps, 2 * PASS_MS, process);
      assert.deepEqual(passed(process.raised), [["", 80, 800n, 1000n]]);
      await spend(deps, allowance, 200n);
      await elapse(deps, 2 * PASS_MS, process);
      assert.deepEqual(passed(process.raised).slice(1), [["", 100, 1000n, 1000n]]);
      await elapse(deps, PASS_MS, process);
      await leap(deps, DAY_MS, process);
      await spend(deps, allowance, 900n);
      await elapse(deps, PASS_MS, process);
      assert.deepEqual(passed(process.raised).slice(2), [["", 80, 900n, 1000n]], "the next window begins anew");
      assert.deepEqual(process.broken, []);
    });

    test("it is the limit in force that counts, of each account for itself", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const scope = { kind: "end-user", tenantId: deps.tenantId, projectId: null, keyId: null, endUser: null } as const;
      const allowance = await deps.create({ window: "month", alertPercents: [50], scope });
      await deps.create({ name: "silent", window: "month", scope });
      await using process = watch(deps, null);
      await spend(deps, allowance, 400n, "anna");
      await spend(deps, allowance, 200n, "bert");
      await elapse(deps, PASS_MS, process);
      assert.deepEqual(process.raised, []);
      await setAllowance(deps, { tenantId: null, allowance: "monthly" }, { limit: 700n });
      await elapse(deps, PASS_MS, process);
      assert.deepEqual(passed(process.raised), [["anna", 50, 400n, 700n]]);
    });

    test("amounts near the largest there are do not overflow", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const largest = 2n ** 63n - 1n;
      const allowance = await deps.create({ limit: largest, alertPercents: [100, 1000], mode: "soft" });
      await using process = watch(deps, null);
      await spend(deps, allowance, largest - 1n);
      await elapse(deps, PASS_MS, process);
      assert.deepEqual(process.raised, []);
      await spend(deps, allowance, 1n);
      await elapse(deps, PASS_MS, process);
      assert.deepEqual(passed(process.raised), [["", 100, largest, largest]]);
    });

    test("of two processes one raises and sends, and neither does again after a restart", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      await using receiver = await startReceiver(204);
      const allowance = await deps.create({ window: "day", alertPercents: [80] });
      await spend(deps, allowance, 900n);
      {
        await using one = watch(deps, receiver.webhook, "ins_1");
        await using other = watch(deps, receiver.webhook, "ins_2");
        await elapse(deps, 60_000, one, other);
        assert.equal(one.raised.length + other.raised.length, 1);
        assert.deepEqual([...one.broken, ...other.broken], []);
      }
      await using again = watch(deps, receiver.webhook, "ins_3");
      await elapse(deps, 60_000, again);
      assert.deepEqual(again.raised, []);
      assert.equal(receiver.calls.length, 1);
      const [alert, second] = await listAlerts(deps.db, everything);
      assert.ok(alert !== undefined && second === undefined);
      assert.equal(stateOfDelivery(alert.delivery), "delivered");
    });

    test("the call is signed as Standard Webhooks says, and says what has happened", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      await using receiver = await startReceiver(200);
      const allowance = await deps.create({ window: "month", timeZone: "Europe/Berlin", alertPercents: [80] });
      await using process = watch(deps, receiver.webhook);
      await spend(deps, allowance, 850n);
      await elapse(deps, PASS_MS, process);
      const [{ headers, body } = assert.fail()] = receiver.calls;
      const id = headers["webhook-id"];
      const timestamp = headers["webhook-timestamp"];
      const signature = createHmac("sha256", KEY)
        .update(`${String(id)}.${String(timestamp)}.${body}`)
        .digest("base64");
      assert.equal(headers["webhook-signature"], `v1,${signature}`);
      assert.equal(timestamp, String(deps.clock.wallMs() / 1000));
      assert.equal(headers["content-type"], "application/json");
      assert.deepEqual(JSON.parse(body), {
        type: "allowance.threshold_passed",
        timestamp: "2027-01-15T08:00:05.000Z",
        data: {
          allowance: { id: allowance.id, name: "monthly", mode: "enforce" },
          tenantId: deps.tenantId,
          subject: null,
          window: "month",
          windowStart: "2026-12-31T23:00:00.000Z",
          windowEnd: "2027-01-31T23:00:00.000Z",
          percent: 80,
          unit: "usd",
          spent: "0.00000085",
          limit: "0.000001",
        },
      });
      assert.equal(process.raised[0]?.id, id);
    });

    test("what the receiver refuses is tried again, later each time, under the same id and a new time", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      await using receiver = await startReceiver(500, 302, 429, 200);
      const allowance = await deps.create({ alertPercents: [80] });
      await using process = watch(deps, receiver.webhook);
      await spend(deps, allowance, 850n);
      const calledAfterMs: number[] = [];
      const startMs = deps.clock.wallMs();
      while (receiver.calls.length < 4) {
        const before = receiver.calls.length;
        await elapse(deps, PASS_MS, process);
        if (receiver.calls.length > before) calledAfterMs.push(deps.clock.wallMs() - startMs);
      }
      assert.deepEqual(calledAfterMs, [5000, 10_000, 30_000, 110_000]);
      assert.equal(new Set(receiver.calls.map(({ headers }) => headers["webhook-id"])).size, 1);
      assert.equal(new Set(receiver.calls.map(({ headers }) => headers["webhook-timestamp"])).size, 4);
      assert.equal(new Set(receiver.calls.map(({ body }) => body)).size, 1);
      assert.deepEqual(process.failures, [
        ["the webhook answered with status 500", false],
        ["the webhook answered with status 302", false],
        ["the webhook answered with status 429", false],
      ]);
      const [{ delivery } = assert.fail()] = await listAlerts(deps.db, everything);
      const deliveredAtMs = startMs + 110_000;
      assert.deepEqual(delivery, { deliveredAtMs, tries: 4, nextTryAtMs: null, lastFailure: null });
    });

    test("it is given up after twelve tries, at once when the receiver is gone, and either is listed", async () => {
      for (const [status, tries] of [
        [503, 12],
        [410, 1],
      ] as const) {
        await using place = await engine.createPlace();
        await using deps = await openAllowances(place);
        await using receiver = await startReceiver(status);
        const allowance = await deps.create({ alertPercents: [80] });
        await using process = watch(deps, receiver.webhook);
        await spend(deps, allowance, 850n);
        for (let pass = 0; pass < 20; pass++) await leap(deps, 6 * HOUR_MS, process);
        assert.equal(receiver.calls.length, tries);
        const reason = `the webhook answered with status ${status}`;
        assert.deepEqual(process.failures.at(-1), [reason, true]);
        const [{ delivery } = assert.fail()] = await listAlerts(deps.db, everything);
        assert.deepEqual(delivery, { deliveredAtMs: null, tries, nextTryAtMs: null, lastFailure: reason });
        assert.equal(stateOfDelivery(delivery), "given up");
      }
    });

    test("a receiver that cannot be reached, or does not answer, is tried again", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create({ alertPercents: [80] });
      await spend(deps, allowance, 850n);
      const secret = `whsec_${KEY.toString("base64")}`;
      {
        await using process = watch(deps, { url: "http://127.0.0.1:1/", secret });
        await elapse(deps, PASS_MS, process);
        assert.match(process.failures[0]?.[0] ?? "", /ECONNREFUSED/);
      }
      await using silent = await startLocalServer(() => {});
      await using process = watch(deps, { url: silent.url, secret });
      deps.clock.advance(PASS_MS);
      const waiting = elapse(deps, PASS_MS, process);
      await eventually("the call waits for its answer", () => deps.clock.pendingCount > 0);
      deps.clock.advance(15_000);
      await waiting;
      assert.deepEqual(process.failures, [["no answer within 15 s", false]]);
    });

    test("what a process that died had begun to send is sent by another, under the same id", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create({ alertPercents: [80] });
      await spend(deps, allowance, 850n);
      const arrived = Promise.withResolvers<unknown>();
      await using silent = await startLocalServer((request) => arrived.resolve(request.headers["webhook-id"]));
      const secret = `whsec_${KEY.toString("base64")}`;
      {
        await using _dying = watch(deps, { url: silent.url, secret }, "ins_1");
        deps.clock.advance(PASS_MS);
        await arrived.promise;
      }
      await using receiver = await startReceiver(200);
      await using process = watch(deps, receiver.webhook, "ins_2");
      await elapse(deps, 2 * PASS_MS, process);
      assert.deepEqual(process.raised, []);
      assert.deepEqual(
        receiver.calls.map(({ headers }) => headers["webhook-id"]),
        [await arrived.promise],
      );
    });

    test("alerts raised while there is no webhook are listed and not sent when one is configured later", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      await using receiver = await startReceiver(200);
      const allowance = await deps.create({ alertPercents: [80] });
      await spend(deps, allowance, 850n);
      {
        await using process = watch(deps, null);
        await elapse(deps, PASS_MS, process);
      }
      await using process = watch(deps, receiver.webhook);
      await elapse(deps, 4 * PASS_MS, process);
      assert.equal(receiver.calls.length, 0);
      const [{ delivery } = assert.fail()] = await listAlerts(deps.db, { ...everything, allowanceId: allowance.id });
      assert.equal(stateOfDelivery(delivery), "no webhook");
      assert.deepEqual(await listAlerts(deps.db, { ...everything, tenantId: deps.other.tenantId }), []);
    });

    test("a store that fails is told once, and passes go on when it is back", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create({ alertPercents: [80] });
      await spend(deps, allowance, 850n);
      await deps.db.schema.alterTable("leases").renameTo("leases_gone").execute();
      await using process = watch(deps, null);
      await elapse(deps, 3 * PASS_MS, process);
      assert.equal(process.broken.length, 1);
      await deps.db.schema.alterTable("leases_gone").renameTo("leases").execute();
      await elapse(deps, PASS_MS, process);
      assert.equal(process.raised.length, 1);
    });
  });
}
