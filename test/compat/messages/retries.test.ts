import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APIConnectionTimeoutError, APIError, APIUserAbortError } from "@anthropic-ai/sdk";
import type { InvoiceLine } from "../../../src/simulator/invoice.ts";
import { eventually } from "../../support/eventually.ts";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, upstreams } from "./suite.ts";

const messages = [{ role: "user" as const, content: "hi" }];
const max_tokens = 10_000;
const MAX_RETRIES = 2;
const TOKENS = 5_000;
const LONG = `tokens=${TOKENS},rate=500`;
const NEVER = "ttft=600000";

describe("retries and aborts of Anthropic's SDK", () => {
  const suite = openMessagesSuite({ config: { retries: { attemptsMax: 1 } } });
  const retrying = () => suite.anthropic.withOptions({ maxRetries: MAX_RETRIES });

  /** Calls that the simulator saw: a model with a script of its own is asked by one test only. */
  async function countAttempts(model: string): Promise<number> {
    const { db } = suite.gateway.gateway.store;
    const entries = await db
      .selectFrom("ledger_entries")
      .select("attempt_id")
      .where("model_asked", "=", model)
      .execute();
    return entries.length;
  }

  /** What the simulator billed for the one call of `model`, once that is over; and the gateway's record of it. */
  async function outcomeOf(model: string): Promise<{ bill: InvoiceLine; ending: string }> {
    const { gateway, simulator } = suite.gateway;
    const { attempt_id: attemptId, ending } = await eventually("the gateway has recorded the request", () =>
      gateway.store.db
        .selectFrom("requests")
        .innerJoin("ledger_entries", "ledger_entries.request_id", "requests.request_id")
        .select(["attempt_id", "ending"])
        .where("requests.model_asked", "=", model)
        .executeTakeFirst(),
    );
    const bill = await eventually("the simulator has billed the call", () =>
      simulator.invoice().find(({ clientRequestId }) => clientRequestId === attemptId),
    );
    return { bill, ending };
  }

  for (const upstream of upstreams) {
    describe(`against ${upstream.title}`, () => {
      test("get an answer after two refusals, each of which says to come back at once", async () => {
        const model = upstream.scripted("tokens=2,status=429,retry-after=0,first=2");
        const message = await retrying().messages.create({ model, max_tokens, messages });
        assert.equal(message.stop_reason, "end_turn");
        assert.equal(await countAttempts(model), 3);
      });

      test("do not repeat what would be refused again", async () => {
        for (const status of [400, 404, 413, 422]) {
          const model = upstream.scripted(`status=${status}`);
          await assert.rejects(retrying().messages.create({ model, max_tokens, messages }), { status });
          assert.equal(await countAttempts(model), 1);
        }
      });

      test("never repeat a stream that has begun", async () => {
        const model = upstream.scripted("tokens=9,fault=cut-between-events@4");
        const stream = await retrying().messages.create({ model, max_tokens, messages, stream: true });
        await assert.rejects(Array.fromAsync(stream), APIError);
        assert.equal(await countAttempts(model), 1);
      });

      test("stop a stream by its helper, and the provider's call with it", async () => {
        const model = upstream.scripted(`${LONG},seed=4`);
        const stream = suite.anthropic.messages.stream({ model, max_tokens, messages });
        stream.once("text", () => stream.abort());
        await assert.rejects(stream.finalMessage(), APIUserAbortError);
        const { bill, ending } = await outcomeOf(model);
        assert.deepEqual([bill.ended, ending], ["cancelled", "caller-gone"]);
        assert.ok(bill.output < TOKENS);
      });

      test("stop a stream by leaving the loop over it", async () => {
        const model = upstream.scripted(`${LONG},seed=3`);
        const stream = await suite.anthropic.messages.create({ model, max_tokens, messages, stream: true });
        for await (const { type } of stream) if (type === "content_block_delta") break;
        assert.equal((await outcomeOf(model)).ending, "caller-gone");
      });

      test("stop a whole answer by the SDK's timeout", async () => {
        const model = upstream.scripted(`${NEVER},seed=5`);
        const pending = suite.anthropic.messages.create({ model, max_tokens, messages }, { timeout: 150 });
        await assert.rejects(pending, APIConnectionTimeoutError);
        assert.equal((await outcomeOf(model)).bill.ended, "cancelled");
      });

      test("hear from the gateway that the SDK's timeout passes, which it is told in whole seconds", async () => {
        const model = upstream.scripted(`${NEVER},seed=6`);
        const pending = suite.anthropic.messages.create({ model, max_tokens, messages }, { timeout: 1_990 });
        await assert.rejects(
          pending,
          (error) =>
            error instanceof APIError && error.type === "timeout_error" && error.errorCode === "deadline_exceeded",
        );
      });
    });
  }

  testBooks(suite);
});
