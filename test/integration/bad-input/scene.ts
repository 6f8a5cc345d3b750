/**
 * A whole gateway with tight limits for tests of bad input, and what has to hold for every refusal: status, code and
 * field, OpenAI's error shape, a request id, a record with the right ending, nothing charged, no call upstream.
 */
import assert from "node:assert/strict";
import type { Config } from "../../../src/config/config.ts";
import type { DeepPartial } from "../../../src/config/defaults.ts";
import type { Ending } from "../../../src/storage/records.ts";
import { captureLog, everyRow, evidenceOf, type CapturedLog } from "../../support/evidence.ts";
import { startTestGateway, type TestGateway } from "../../support/gateway.ts";
import { exchangeRaw, type RawResponse } from "../../support/raw-http.ts";

export interface Expected {
  readonly status: number;
  readonly code: string;
  /** Default `null`: the error is about no field in particular. */
  readonly param?: string | null;
  /** Default `refused`. */
  readonly ending?: Ending;
  /** What the message has to say. */
  readonly message?: RegExp;
}

/** A body that the simulator answers with three tokens. */
export const goodBody: string = JSON.stringify({
  model: "simulator/sim-chat:tokens=3,input=5",
  messages: [{ role: "user", content: "Hi" }],
});

const providerKey = "sk-sim-test";

export class Scene implements AsyncDisposable {
  readonly test: TestGateway;
  readonly #log: CapturedLog;
  #responses = "";

  private constructor(test: TestGateway, log: CapturedLog) {
    this.test = test;
    this.#log = log;
  }

  static async open(config: DeepPartial<Config> = {}): Promise<Scene> {
    const log = captureLog();
    return new Scene(await startTestGateway({ config, overrides: { logger: log.logger } }), log);
  }

  /** The bytes of a request with the default key; `head` are further lines, each with its line end. */
  post(body: string | Uint8Array, head = "content-type: application/json\r\n", path = "/v1/chat/completions"): Buffer {
    const bytes = Buffer.from(body);
    const start = `POST ${path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${this.test.key}\r\n`;
    return Buffer.concat([Buffer.from(`${start}content-length: ${bytes.length}\r\n${head}\r\n`), bytes]);
  }

  /** Sends one request on a connection of its own. Fails if there is no response. */
  async send(bytes: string | Uint8Array): Promise<RawResponse> {
    const response = await exchangeRaw(this.test.url, bytes);
    assert.ok(response, "the connection closed without a response");
    return this.seen(response);
  }

  /** Keeps what a caller got for `assertNoSecrets`. */
  seen(response: RawResponse): RawResponse {
    this.#responses += JSON.stringify(response.headers) + response.body.toString("utf8");
    return response;
  }

  async assertRefused(response: RawResponse, expected: Expected): Promise<void> {
    const { gateway, simulator } = this.test;
    const body = JSON.parse(response.body.toString("utf8"));
    assert.deepEqual(Object.keys(body), ["error"]);
    assert.deepEqual(Object.keys(body.error).toSorted(), ["code", "message", "param", "request_id", "type"]);
    const { error } = body;
    const seen = { status: response.status, code: error.code, param: error.param };
    assert.deepEqual(seen, { status: expected.status, code: expected.code, param: expected.param ?? null });
    assert.equal(error.type, expected.status < 500 ? "invalid_request_error" : "server_error");
    assert.match(error.message, expected.message ?? /./);
    assert.equal(response.complete, true);
    assert.equal(response.headers["content-type"], "application/json");
    assert.equal(response.headers["x-headgate-error-code"], expected.code);
    const requestId = response.headers["x-request-id"] ?? "";
    assert.match(requestId, /^req_[0-9a-z]{25}$/);
    assert.equal(error.request_id, requestId);
    const { row, entries } = await evidenceOf(gateway, requestId);
    const recorded = { status: row.status, ending: row.ending, code: row.error_code, attempts: row.attempts };
    const ending = expected.ending ?? "refused";
    assert.deepEqual(recorded, { status: expected.status, ending, code: expected.code, attempts: 0 });
    assert.deepEqual([row.cost_nano_usd, row.basis, entries.length], [0n, "none", 0]);
    assert.equal(simulator.stats().running, 0);
    assert.deepEqual(simulator.invoice(), []);
  }

  /** Sends and checks, and that the gateway is none the worse for it. */
  async refuses(bytes: string | Uint8Array, expected: Expected): Promise<void> {
    await this.assertRefused(await this.send(bytes), expected);
    await this.assertServes();
  }

  /** A good request is answered and charged. */
  async assertServes(): Promise<void> {
    const response = await this.send(this.post(goodBody));
    assert.equal(response.status, 200);
    assert.equal(JSON.parse(response.body.toString("utf8")).usage.completion_tokens, 3);
    const { row } = await evidenceOf(this.test.gateway, response.headers["x-request-id"] ?? "");
    assert.deepEqual([row.ending, row.cost_nano_usd], ["complete", 17_000n]);
    this.test.simulator.reset();
  }

  /** Neither the caller's key nor the provider's is in what was answered, logged or stored. */
  async assertNoSecrets(...further: readonly string[]): Promise<void> {
    const stored = await everyRow(this.test.gateway);
    for (const secret of [this.test.key, providerKey, ...further]) {
      assert.ok(!this.#responses.includes(secret), "a key in a response");
      assert.ok(!this.#log.text().includes(secret), "a key in the log");
      assert.ok(!stored.includes(secret), "a key in the store");
    }
    assert.match(this.#log.text(), /"msg":"request ended"/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test[Symbol.asyncDispose]();
  }
}
