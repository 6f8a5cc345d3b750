import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findDialect } from "../../dialects/registry.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Reservation } from "../../limits/limits.ts";
import { emptyReservation } from "../../limits/reservation.ts";
import type { Endpoint } from "../../providers/endpoint.ts";
import type { Hold, Journal, LedgerEntry, RequestRecord } from "../../storage/records.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import type { Attempt } from "../attempt/attempt.ts";
import { Exchange, type Incoming, type OpenAttempt } from "../exchange.ts";
import { createLateReservations } from "../late-reservations.ts";
import type { Responder } from "../responder.ts";
import type { Snapshot } from "../snapshot.ts";
import { conclude, type ConcludeDeps } from "./conclude.ts";

interface Sent {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

class FakeResponder implements Responder {
  headSent = false;
  bytesOut = 0;
  unreadBytes = 0;
  sent: Sent | null = null;
  failure: Error | null = null;

  send(status: number, headers: string[], body: Uint8Array): void {
    if (this.failure !== null) throw this.failure;
    const pairs = headers.flatMap((name, index) =>
      index % 2 === 0 ? [[name, headers[index + 1] ?? ""] as const] : [],
    );
    this.sent = { status, headers: new Map(pairs), body: Buffer.from(body).toString() };
  }
  start(): void {}
  write(): boolean {
    return true;
  }
  end(): void {}
  destroy(): void {}
}

const incoming: Incoming = {
  method: "POST",
  path: "/v1/chat/completions",
  headers: {},
  readBody: () => Promise.resolve(new Uint8Array(0)),
  refuseBody: () => false,
};

function setUp(storeFails = false): {
  deps: ConcludeDeps;
  exchange: Exchange;
  responder: FakeResponder;
  rows: RequestRecord[];
  entries: LedgerEntry[];
} {
  const rows: RequestRecord[] = [];
  const entries: LedgerEntry[] = [];
  const journal: Journal = {
    open: () => Promise.resolve(),
    extend: () => Promise.resolve(),
    close(record, charges) {
      rows.push(record);
      entries.push(...charges);
      const failure = new HeadgateError("storage_unavailable", "The store is full.", { retryAfterMs: 1_000 });
      return storeFails ? Promise.reject(failure) : Promise.resolve();
    },
  };
  const ignore = (): void => undefined;
  const telemetry: Telemetry = {
    requestEnded: ignore,
    recordLost: ignore,
    requestBroke: ignore,
    closingLate: ignore,
    backgroundFailed: ignore,
    lifecycle: ignore,
    warn: ignore,
  };
  const clock = { wallMs: () => 1_000, monotonicMs: () => 10, setTimer: () => ({ cancel: ignore }) };
  const responder = new FakeResponder();
  const head = { requestId: "req_1", startedAtMs: 1_000, startedMs: 5 };
  const exchange = new Exchange(head, incoming, responder, {} as Snapshot, findDialect("openai-chat"));
  const deps = { clock, journal, telemetry, lateReservations: createLateReservations() };
  return { deps, exchange, responder, rows, entries };
}

const answer = { status: 200, body: Buffer.from('{"object":"list"}') };

/** A call that was made and answered with `{}`, unless it is said what else became of it. */
function answeredAttempt(became: object = {}): OpenAttempt {
  const reading = { id: null, model: null, usage: null, serviceTier: null, finish: null, outputBytes: 0 };
  const call = { losses: [], translateAnswer: null, target: { dialect: "openai-chat" }, request: { body: null } };
  const attempt = {
    body: Buffer.from("{}"),
    json: {},
    state: "complete",
    startedAtMs: 6,
    sentAtMs: 6,
    answered: true,
    reading,
    call,
  };
  return {
    attempt: { ...attempt, upstreamRequestId: null, firstOutputAtMs: null, ...became } as unknown as Attempt,
    hold: { provider: "p", modelTarget: "p/m" } as Hold,
    endpoint: { spec: { billsCancelledInput: true } } as Endpoint,
    price: null,
    mayServe: null,
  };
}

/** The exchange has a call with this hold. */
function pushLeg({ legs }: Exchange, open: OpenAttempt | null, reservation: Reservation | null = null): void {
  legs.push({ reservation, outputBound: null, open, cancel: () => {}, free: async () => {} });
}

describe("the end of an exchange", () => {
  test("is recorded even if the answer cannot be handed over, and only then is the bug passed on", async () => {
    const { deps, exchange, responder, rows } = setUp();
    exchange.answer = answer;
    responder.failure = new Error("invalid header");
    await assert.rejects(conclude(deps, exchange), /invalid header/);
    assert.deepEqual(
      rows.map(({ requestId }) => requestId),
      ["req_1"],
    );
  });

  test("is recorded after an answer that cannot be handed over when the store refused before", async () => {
    const { deps, exchange, responder, rows } = setUp();
    exchange.failure = new HeadgateError("storage_unavailable", "The store is full.");
    responder.failure = new Error("invalid header");
    await assert.rejects(conclude(deps, exchange), /invalid header/);
    assert.deepEqual(
      rows.map(({ status }) => status),
      [503],
    );
  });

  test("is answered even if an attempt cannot be settled or described", async () => {
    const { deps, exchange, responder, rows } = setUp();
    exchange.answer = answer;
    const attempt = { body: null, upstreamRequestId: null, call: { losses: [] as readonly string[] } } as Attempt;
    const open = { attempt, hold: { provider: "p", modelTarget: "p/m" }, mayServe: null } as OpenAttempt;
    pushLeg(exchange, open);
    exchange.attempts.push(open);
    await conclude(deps, exchange);
    assert.deepEqual([responder.sent?.status, rows.length], [500, 0]);
    assert.equal(JSON.parse(responder.sent?.body ?? "").error.request_id, "req_1");
  });

  test("settles the hold of a call that was not made, and tells nobody of such a call", async () => {
    const { deps, exchange, responder, rows, entries } = setUp();
    pushLeg(exchange, answeredAttempt({ state: "cancelled", startedAtMs: null, sentAtMs: null, body: null }));
    exchange.decisive = exchange.legs[0] ?? null;
    exchange.failure = new HeadgateError("deadline_exceeded", "It was over.");
    await conclude(deps, exchange);
    assert.deepEqual(
      entries.map(({ modelTarget, basis, costNanoUsd }) => ({ modelTarget, basis, costNanoUsd })),
      [{ modelTarget: "p/m", basis: "none", costNanoUsd: 0n }],
    );
    assert.deepEqual(
      rows.map((row) => [row.attempts, row.provider, row.ending, row.basis]),
      [[0, null, "timeout", "none"]],
    );
    assert.equal(responder.sent?.headers.get("x-headgate-provider"), undefined);
  });

  test("counts the bytes of an error in the record", async () => {
    const { deps, exchange, responder, rows } = setUp();
    exchange.failure = new HeadgateError("model_not_found", "There is no such model.");
    await conclude(deps, exchange);
    assert.equal(rows[0]?.bytesOut, Buffer.byteLength(responder.sent?.body ?? ""));
    assert.equal(responder.sent?.headers.get("x-should-retry"), "false");
  });

  test("leaves an answer that the gateway made by itself to its caller when a shutdown comes in between", async () => {
    const { deps, exchange, responder, rows } = setUp();
    exchange.answer = answer;
    exchange.cancel("shutdown");
    await conclude(deps, exchange);
    assert.deepEqual([responder.sent?.status, rows[0]?.ending], [200, "complete"]);
  });

  test("tells a caller whose answer could not be recorded to try again if nothing was called", async () => {
    const { deps, exchange, responder } = setUp(true);
    exchange.answer = answer;
    await conclude(deps, exchange);
    assert.deepEqual([responder.sent?.status, responder.sent?.headers.get("retry-after")], [503, "1"]);
    assert.equal(responder.sent?.headers.get("x-should-retry"), undefined);
  });

  test("tells a caller whose answer is billed but not recorded not to try again", async () => {
    const { deps, exchange, responder } = setUp(true);
    const open = answeredAttempt();
    pushLeg(exchange, open);
    exchange.attempts.push(open);
    await conclude(deps, exchange);
    const { status, headers, body } = responder.sent ?? assert.fail("nothing was sent");
    assert.deepEqual([status, headers.get("x-should-retry"), headers.get("retry-after")], [503, "false", undefined]);
    assert.equal(JSON.parse(body).error.code, "storage_unavailable");
  });

  test("frees a reservation whose record the store refuses: at once without an attempt, else with the late closing", async () => {
    for (const [open, before] of [
      [null, 1],
      [answeredAttempt(), 0],
    ] as const) {
      const { deps, exchange } = setUp(true);
      let committed = 0;
      const reservation = { ...emptyReservation, committed: () => committed++ };
      pushLeg(exchange, open, reservation);
      if (open !== null) exchange.attempts.push(open);
      await conclude(deps, exchange);
      assert.equal(committed, before);
      deps.lateReservations.closed("req_1", "settled");
      assert.equal(committed, 1);
    }
  });

  for (const said of [true, false]) {
    test(`passes on a provider's x-should-retry: ${said}`, async () => {
      const { deps, exchange, responder } = setUp();
      exchange.failure = new HeadgateError("upstream_failed", "It failed.", { shouldRetry: said });
      await conclude(deps, exchange);
      assert.equal(responder.sent?.headers.get("x-should-retry"), String(said));
    });
  }
});
