/**
 * A whole gateway with short timers, small limits and an allowance of each meter on every request, which makes one call
 * for each of them and leaves no target alone: for what one call comes to. And the check of an outcome in its four
 * respects; the charge is checked in the ledger, in the provider's invoice and in the allowances.
 */
import assert from "node:assert/strict";
import type { Config } from "../../src/config/config.ts";
import type { DeepPartial } from "../../src/config/defaults.ts";
import type { GatewayOverrides } from "../../src/gateway.ts";
import { allowPlenty, ledgerOf, spentOf } from "../support/allowances.ts";
import { eventually } from "../support/eventually.ts";
import { evidenceOf, type Evidence, type LedgerRow } from "../support/evidence.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { eventData, send, type Reply, type SendOptions } from "../support/simulator-client.ts";
import type { Charged, Outcome } from "./outcome.ts";
import type { Upstream } from "./table.ts";

export const models: Readonly<Record<Upstream, string>> = {
  "openai-chat": "simulator/sim-chat",
  "anthropic-messages": "simulator-anthropic/sim-claude",
};
export const upstreams: readonly Upstream[] = ["openai-chat", "anthropic-messages"];

export interface Ask extends SendOptions {
  readonly upstream?: Upstream;
  /** Instead of the upstream's model and `script`. */
  readonly model?: string;
  readonly script?: string;
  readonly stream?: boolean;
}

const short: DeepPartial<Config> = {
  timeouts: { connectMs: 300, firstTokenMs: 300, idleMs: 300, totalMs: 20_000, endingMs: 1_000 },
  limits: { responseBytes: 1_000_000, streamEventBytes: 500_000, streamBufferBytes: 65_536 },
  retries: { attemptsMax: 1 },
  health: { failuresInRow: 0, failurePercent: 0 },
};

/** `unlimited`: without allowances, so that requests ask the store for nothing before their hold. */
export async function openScene(
  config: DeepPartial<Config> = {},
  overrides: GatewayOverrides = {},
  unlimited: boolean = false,
): Promise<Scene> {
  const timeouts = { ...short.timeouts, ...config.timeouts };
  const limits = { ...short.limits, ...config.limits };
  const test = await startTestGateway({ config: { ...short, ...config, timeouts, limits }, overrides });
  const scene = new Scene(test, unlimited);
  if (!unlimited) await allowPlenty(scene.test.gateway);
  return scene;
}

export class Scene implements AsyncDisposable {
  readonly test: TestGateway;
  /** Of the request checked last; later ids are larger. */
  #lastId = "";
  #asked = 0;
  readonly #unlimited: boolean;

  constructor(test: TestGateway, unlimited: boolean) {
    this.test = test;
    this.#unlimited = unlimited;
  }

  /**
   * A chat completion of 20 tokens, unless the script says otherwise, of a target of its own: what earlier ones have made
   * of theirs does not matter to it. Resolves however it ends.
   */
  ask({ upstream = "openai-chat", script = "", model, stream = false, ...options }: Ask): Promise<Reply> {
    const body = {
      model: model ?? `${models[upstream]}:tokens=20,input=7,${script},tag=${++this.#asked}`,
      stream,
      max_tokens: 100_000,
      messages: [{ role: "user", content: "Hi" }],
    };
    const headers = { authorization: `Bearer ${this.test.key}`, ...options.headers };
    return send(`${this.test.url}/v1/chat/completions`, { body, ...options, headers });
  }

  /** Checks the outcome of the only request since the simulator's books were opened; then opens them anew. */
  async assertOutcome(reply: Reply, outcome: Outcome, stream: boolean): Promise<Evidence> {
    assertCaller(reply, outcome, stream);
    const evidence = await evidenceOf(this.test.gateway, await this.#requestId(reply));
    this.#lastId = evidence.row.request_id;
    const { row } = evidence;
    assert.deepEqual(
      { ending: row.ending, code: row.error_code, status: row.status, attempts: row.attempts },
      { ending: outcome.ending, code: outcome.code, status: outcome.status, attempts: outcome.attempts },
    );
    await this.#assertCharged(evidence, outcome.charged);
    const { complete, cancelled, fault, refused } = this.test.simulator.stats();
    const calls = complete + cancelled + fault + refused;
    assert.ok(calls <= outcome.attempts, `${calls} calls upstream`);
    assert.deepEqual(await this.#holds(), [], "nothing stays held");
    await this.#assertAllowances();
    this.test.simulator.reset();
    return evidence;
  }

  /** The evidence of a request that ended well. */
  async assertComplete(reply: Reply): Promise<Evidence> {
    const evidence = await evidenceOf(this.test.gateway, await this.#requestId(reply));
    assert.deepEqual([evidence.row.status, evidence.row.ending, evidence.row.error_code], [200, "complete", null]);
    return evidence;
  }

  /** The provider is at work. */
  async whenCalled(): Promise<void> {
    await eventually("the provider is called", () => this.test.simulator.stats().running === 1);
  }

  /** Of the response; of the newest record for a caller who left before there was one. */
  async #requestId(reply: Reply): Promise<string> {
    const id = reply.headers["x-request-id"];
    if (typeof id === "string") return id;
    const { db } = this.test.gateway.store;
    const newest = db.selectFrom("requests").select("request_id").orderBy("request_id", "desc");
    const row = await eventually("the record of a caller who left", () =>
      newest.where("request_id", ">", this.#lastId).where("ending", "=", "caller-gone").executeTakeFirst(),
    );
    return row.request_id;
  }

  async #assertCharged({ row, entries }: Evidence, charged: Charged): Promise<void> {
    const { simulator } = this.test;
    await eventually("the provider is done with it", () => simulator.stats().running === 0);
    const [entry] = entries;
    assert.ok(entries.length <= 1, "one attempt has one entry");
    assert.equal(row.cost_nano_usd, entry?.cost_nano_usd ?? 0n);
    assert.equal(row.basis, entry?.basis ?? "none");
    assertCharge(entry, simulator.stats().costNanoUsd, charged);
  }

  async #assertAllowances(): Promise<void> {
    if (this.#unlimited) return;
    const { money, tokens } = await spentOf(this.test.gateway);
    const ledger = await ledgerOf(this.test.gateway);
    assert.deepEqual({ money, tokens }, ledger, "allowances were charged what the ledger was");
  }

  async #holds(): Promise<readonly string[]> {
    const rows = await this.test.gateway.store.db.selectFrom("holds").select("attempt_id").execute();
    return rows.map(({ attempt_id }) => attempt_id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test[Symbol.asyncDispose]();
  }
}

/** What an attempt was charged, beside what the provider's invoice says of it. */
export function assertCharge(entry: LedgerRow | undefined, invoiced: bigint, charged: Charged): void {
  if (charged === "nothing" || charged === "nothing yet") {
    const basis = charged === "nothing" ? "none" : "metered";
    assert.deepEqual([entry?.cost_nano_usd ?? 0n, entry?.basis ?? "none"], [0n, basis]);
    if (charged === "nothing") assert.equal(invoiced, 0n, "the provider bills nothing either");
    return;
  }
  assert.ok(entry, "a charge in the ledger");
  assert.equal(entry.estimated, charged.endsWith("estimate") ? 1 : 0);
  assert.equal(entry.basis, charged.endsWith("estimate") ? "metered" : charged);
  if (!charged.endsWith("estimate")) assert.equal(entry.cost_nano_usd, invoiced, "what the provider's invoice says");
  else assert.ok(entry.cost_nano_usd > 0n && entry.input_tokens > 0, "an estimate is never nothing");
  if (charged === "estimate") assert.ok(entry.output_tokens > 0, "output was delivered, and is counted");
  // A Messages stream begins by reporting one token of output.
  if (charged === "input estimate") assert.ok(entry.output_tokens + entry.reasoning_tokens <= 1);
}

export function assertCaller(reply: Reply, { caller }: Pick<Outcome, "caller">, stream: boolean): void {
  if (caller.kind === "gone") return;
  const terminals = reply.text.split("data: [DONE]").length - 1;
  assert.equal(reply.complete, true, "the response ends as HTTP says it should");
  switch (caller.kind) {
    case "answer":
      assert.equal(reply.status, 200, reply.text);
      assert.doesNotMatch(reply.text, /"error"/);
      assert.equal(terminals, stream ? 1 : 0);
      if (stream) assert.match(reply.text, /data: \[DONE\](\r?\n){2}$/);
      return;
    case "error": {
      const { error } = JSON.parse(reply.text);
      assert.deepEqual([reply.status, error.code], [caller.status, caller.code], reply.text);
      assert.equal(error.request_id, reply.headers["x-request-id"]);
      if (caller.retryAfter === undefined) return;
      assert.equal(reply.headers["retry-after"], caller.retryAfter === null ? undefined : String(caller.retryAfter));
      return;
    }
    case "broken stream": {
      assert.deepEqual([reply.status, terminals], [200, 0], reply.text);
      const events = eventData(reply.text).map((data) => JSON.parse(data));
      const last = events.pop();
      assert.equal(last.error.code, caller.code);
      assert.equal(last.error.request_id, reply.headers["x-request-id"]);
      assert.ok(events.length > 0 && events.every((event) => event.error === undefined), "one error event, the last");
    }
  }
}

/** The text of an answer, whole or streamed. */
export function answerText(reply: Reply, stream: boolean): string {
  if (!stream) return JSON.parse(reply.text.replace(/^\ufeff/, "")).choices[0].message.content;
  const events = eventData(reply.text.replace(/^\ufeff/, "")).filter((data) => data !== "[DONE]");
  return events.map((data) => JSON.parse(data).choices[0]?.delta.content ?? "").join("");
}
