/**
 * A gateway in front of a provider whose every answer the test writes as it goes, so that requests can meet while it is
 * being made. The aliases `fast`, `asked` and `plain` cache, cache on request, and do not.
 */
import type { ServerResponse } from "node:http";
import type { Config, ModelCacheConfig, ModelConfig } from "../../../src/config/config.ts";
import { defaultProvider, type DeepPartial } from "../../../src/config/defaults.ts";
import { createSystemClock } from "../../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../../src/kernel/ids.ts";
import { createKey } from "../../../src/tenancy/keys.ts";
import { createProject } from "../../../src/tenancy/projects.ts";
import type { TenancyDeps } from "../../../src/tenancy/tenancy.ts";
import { createTenant } from "../../../src/tenancy/tenants.ts";
import { evidenceOf, type RequestRow } from "../../support/evidence.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestGateway, type TestGateway } from "../../support/gateway.ts";
import { type LocalServer, startLocalServer } from "../../support/local-server.ts";
import { type Reply, send, type SendOptions } from "../../support/simulator-client.ts";

export interface AskOptions extends Omit<SendOptions, "body"> {
  readonly key?: string;
}

/** What one call costs. */
export const COST = 50_000_000n;

function event(fields: object): string {
  return `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", ...fields })}\n\n`;
}

/** One event of a stream. */
export function said(text: string): string {
  return event({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] });
}

export function streamEnd(finish: string = "stop"): string {
  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
  return `${event({ choices: [{ index: 0, delta: {}, finish_reason: finish }], usage })}data: [DONE]\n\n`;
}

function wholeAnswer(content: string, finish: string): string {
  const choices = [{ index: 0, finish_reason: finish, message: { role: "assistant", content } }];
  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
  return JSON.stringify({ id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m", choices, usage });
}

export class SharingPlace implements AsyncDisposable {
  readonly test: TestGateway;
  /** At the provider, in order. */
  readonly calls: ServerResponse[];
  readonly #provider: LocalServer;

  constructor(test: TestGateway, calls: ServerResponse[], provider: LocalServer) {
    this.test = test;
    this.calls = calls;
    this.#provider = provider;
  }

  /** A whole answer of `plain`, unless `fields` says otherwise. Resolves however it ends. */
  ask(fields: object, { key = this.test.key, ...options }: AskOptions = {}): Promise<Reply> {
    const body = { model: "plain", messages: [{ role: "user", content: "Hi" }], ...fields };
    const headers = { authorization: `Bearer ${key}`, ...options.headers };
    return send(`${this.test.url}/v1/chat/completions`, { ...options, body, headers });
  }

  /** With an `Idempotency-Key`. */
  askOnce(idempotencyKey: string, fields: object = {}, options: AskOptions = {}): Promise<Reply> {
    return this.ask(fields, { ...options, headers: { "idempotency-key": idempotencyKey, ...options.headers } });
  }

  /** The call of this number, counted from 1, once it is made. */
  call(number: number): Promise<ServerResponse> {
    return eventually(`call ${number}`, () => this.calls[number - 1]);
  }

  async answer(number: number, content: string = "Hello", finish: string = "stop"): Promise<void> {
    const response = await this.call(number);
    response.setHeader("content-type", "application/json");
    response.end(wholeAnswer(content, finish));
  }

  /** Begins to answer a call with a stream. */
  async begin(number: number, text: string = "Hello"): Promise<ServerResponse> {
    const response = await this.call(number);
    response.setHeader("content-type", "text/event-stream");
    response.write(said(text));
    return response;
  }

  async fail(number: number, status: number): Promise<void> {
    const response = await this.call(number);
    response.statusCode = status;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ error: { message: "No.", type: "some_error" } }));
  }

  async rowOf(reply: Reply): Promise<RequestRow> {
    return (await evidenceOf(this.test.gateway, String(reply.headers["x-request-id"]))).row;
  }

  async charged(): Promise<bigint> {
    const rows = await this.test.gateway.store.db.selectFrom("ledger_entries").select("cost_nano_usd").execute();
    return rows.reduce((sum, row) => sum + row.cost_nano_usd, 0n);
  }

  /** What was sent before is being served: a whole round trip has followed it. */
  async served(): Promise<void> {
    await send(`${this.test.url}/v1/models`, { headers: { authorization: `Bearer ${this.test.key}` } });
  }

  /** A key of another tenant, or of another project of the same. */
  async createOtherKey(of: "tenant" | "project", modelAllowList: readonly string[] | null = null): Promise<string> {
    const { db } = this.test.gateway.store;
    const clock = createSystemClock();
    const ids = createIdSource(systemRandomFill, () => clock.wallMs());
    const deps: TenancyDeps = { db, clock, ids, randomFill: systemRandomFill };
    const name = `other-${ids.next("x").slice(2)}`;
    const tenant = of === "tenant" ? (await createTenant(deps, name)).id : await this.#firstTenant();
    await createProject(deps, tenant, name);
    return (await createKey(deps, { tenant, project: name }, { name, modelAllowList })).plainKey;
  }

  async #firstTenant(): Promise<string> {
    const { db } = this.test.gateway.store;
    return (await db.selectFrom("tenants").select("id").orderBy("id").executeTakeFirstOrThrow()).id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test[Symbol.asyncDispose]();
    await this.#provider[Symbol.asyncDispose]();
  }
}

export async function openSharingPlace(config: DeepPartial<Config> = {}): Promise<SharingPlace> {
  const calls: ServerResponse[] = [];
  const provider = await startLocalServer((request, response) => {
    request.resume().on("end", () => calls.push(response));
  });
  const own = defaultProvider("openai-compatible", { baseUrl: `${provider.url}/v1` });
  const alias = (mode: ModelCacheConfig["mode"]): DeepPartial<ModelConfig> => {
    return { targets: [{ model: "own/m" }], cache: { mode, ttlMs: 60_000 } };
  };
  const test = await startTestGateway({
    config: {
      retries: { attemptsMax: 1 },
      prices: { unknownModel: "hold", unknownModelHold: "0.05" },
      ...config,
      providers: { own },
      models: { fast: alias("exact"), asked: alias("on-request"), plain: alias("off") },
    },
  });
  return new SharingPlace(test, calls, provider);
}
