/**
 * A whole gateway with the models of many cases, which are asked side by side: each has targets of its own. What a
 * request came to is checked call by call: in the record, in the ledger, and in the provider's invoice.
 */
import assert from "node:assert/strict";
import type { Config, ModelConfig, ProviderConfig } from "../../../src/config/config.ts";
import { defaultModel, defaultProvider, withProvider, type DeepPartial } from "../../../src/config/defaults.ts";
import type { TrailStep } from "../../../src/storage/records.ts";
import { allowPlenty, ledgerOf, spentOf } from "../../support/allowances.ts";
import { eventually } from "../../support/eventually.ts";
import { evidenceOf, type Evidence } from "../../support/evidence.ts";
import { startTestGateway, type TestGateway } from "../../support/gateway.ts";
import { send, type Reply, type SendOptions } from "../../support/simulator-client.ts";
import { assertCaller } from "../caller-sees.ts";
import { assertCharge, invoicedFor } from "../charge.ts";
import { speeches, type Caller } from "../speech.ts";
import type { ExpectedCourse } from "./expected.ts";

/** Cases at a time: as many as two cores serve without delaying each other much. */
export const SIDE_BY_SIDE = 12;

/** The defaults, but that waits are drawn from less, and what is too large is less. */
const hurried: DeepPartial<Config> = {
  retries: { backoffMs: 20 },
  limits: { responseBytes: 1_000_000, streamEventBytes: 500_000 },
};

export interface CourseAsk extends SendOptions {
  readonly model: string;
  readonly stream?: boolean;
  /** Default OpenAI's. */
  readonly caller?: Caller;
  /** Instead of an answer in words. */
  readonly embedding?: boolean;
}

export async function openCourses(config: DeepPartial<Config>): Promise<Courses> {
  const retries = { ...hurried.retries, ...config.retries };
  const prices = { unknownModel: "allow", ...config.prices } as const;
  const test = await startTestGateway({ config: { ...hurried, ...config, retries, prices } });
  await allowPlenty(test.gateway);
  return new Courses(test);
}

export class Courses implements AsyncDisposable {
  readonly test: TestGateway;

  constructor(test: TestGateway) {
    this.test = test;
  }

  /** From now on there is this model. */
  route(alias: string, model: DeepPartial<ModelConfig>): string {
    const { gateway } = this.test;
    const models = { ...gateway.config.models, [alias]: defaultModel(model) };
    gateway.replaceConfig({ ...gateway.config, models });
    return alias;
  }

  /** From now on there is this provider, in OpenAI's dialect unless it says otherwise. */
  provide(name: string, provider: DeepPartial<ProviderConfig>, kind = "openai-compatible"): void {
    const { gateway } = this.test;
    gateway.replaceConfig(withProvider(gateway.config, name, defaultProvider(kind, provider)));
  }

  /** For an answer in words, unless it is to be an embedding. Resolves however it ends. */
  ask({ model, stream = false, caller = "openai-chat", embedding = false, ...options }: CourseAsk): Promise<Reply> {
    const messages = [{ role: "user", content: "Hi" }];
    const body = embedding ? { model, input: "Hi" } : { model, stream, max_tokens: 1000, messages };
    const path = embedding ? "/v1/embeddings" : speeches[caller].path;
    const headers = { authorization: `Bearer ${this.test.key}`, ...options.headers };
    return send(`${this.test.url}${path}`, { body, ...options, headers });
  }

  /** Checks what the caller saw, what was called, what was charged for each call, and what was recorded. */
  async assertCourse(
    reply: Reply,
    expected: ExpectedCourse,
    stream: boolean,
    caller: Caller = "openai-chat",
  ): Promise<Evidence> {
    const evidence = await evidenceOf(this.test.gateway, String(reply.headers["x-request-id"]));
    const { row } = evidence;
    const trail = trailOf(evidence);
    const calls = expected.calls.map(({ target, became, code }): Called => ({ target, became, code }));
    const steps = expected.passedOver ? [{ ...expected.passedOver, became: "passed-over" }, ...calls] : calls;
    assert.deepEqual(trail, steps.length > 1 ? steps : []);
    assertCaller(reply, expected, stream, caller);
    assert.deepEqual(
      { ending: row.ending, code: row.error_code, status: row.status, attempts: row.attempts },
      { ending: expected.ending, code: expected.code, status: expected.status, attempts: expected.calls.length },
    );
    assert.equal(reply.headers["x-headgate-attempts"], steps.length > 1 ? describeTrail(steps) : undefined);
    await this.#assertCharged(evidence, expected);
    return evidence;
  }

  /** To be called once, when all is asked: nothing is held any more, and allowances say what the ledger says. */
  async assertBooks(): Promise<void> {
    const { gateway, simulator } = this.test;
    await eventually("the provider is done", () => simulator.stats().running === 0);
    assert.deepEqual(await gateway.store.db.selectFrom("holds").select("attempt_id").execute(), []);
    const { money, tokens } = await spentOf(gateway);
    assert.deepEqual({ money, tokens }, await ledgerOf(gateway));
  }

  /** Each call has one entry, in the order of the calls, and the provider's invoice names it by the attempt's id. */
  async #assertCharged(evidence: Evidence, { calls }: ExpectedCourse): Promise<void> {
    const { row, entries } = evidence;
    const ordered = inCallOrder(evidence);
    assert.deepEqual(
      ordered.map(({ model_target }) => model_target),
      calls.map(({ target }) => target),
    );
    for (const [index, { charged }] of calls.entries()) {
      const entry = ordered[index];
      assertCharge(entry, await invoicedFor(this.test.simulator, entry, charged), charged);
    }
    const sum = entries.reduce((total, { cost_nano_usd }) => total + cost_nano_usd, 0n);
    assert.equal(row.cost_nano_usd, sum, "the request costs what its calls cost");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test[Symbol.asyncDispose]();
  }
}

interface Called {
  readonly target: string;
  readonly became: string;
  readonly code: string | null;
}

export function trailOf({ row }: Evidence): readonly Called[] {
  const steps: readonly TrailStep[] = row.trail === null ? [] : JSON.parse(row.trail);
  return steps.map(({ target, outcome, code }) => ({ target, became: outcome, code }));
}

/** Entries in the order of their calls. Ids do not tell it: two of one millisecond are in no order. */
export function inCallOrder({ row, entries }: Evidence): Evidence["entries"] {
  const steps: readonly TrailStep[] = row.trail === null ? [] : JSON.parse(row.trail);
  const left = entries.toSorted((one, next) => (one.attempt_id < next.attempt_id ? -1 : 1));
  const ordered = steps.flatMap(({ target, credential, outcome }) => {
    if (outcome === "passed-over") return [];
    const at = left.findIndex((entry) => entry.model_target === target && entry.credential === credential);
    return at === -1 ? [] : left.splice(at, 1);
  });
  return [...ordered, ...left];
}

function describeTrail(calls: readonly Called[]): string {
  return calls.map(({ target, became, code }) => `${target}=${code ?? became}`).join(", ");
}
