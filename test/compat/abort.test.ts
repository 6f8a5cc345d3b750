import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APIConnectionTimeoutError, APIUserAbortError, InternalServerError } from "openai";
import type { InvoiceLine } from "../../src/simulator/invoice.ts";
import { eventually } from "../support/eventually.ts";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const messages = [{ role: "user" as const, content: "hi" }];
const NEVER = "ttft=600000";
const TOKENS = 5_000;
const LONG = `tokens=${TOKENS},rate=500`;

describe("aborts through the SDK", () => {
  const suite = openSuite();

  /** What the simulator billed for the one call of `model`, once that is over; and the gateway's record of it. */
  async function outcomeOf(model: string): Promise<{ bill: InvoiceLine; ending: string; errorCode: string | null }> {
    const { gateway, simulator } = suite.gateway;
    const record = await eventually("the gateway has recorded the request", () =>
      gateway.store.db
        .selectFrom("requests")
        .innerJoin("ledger_entries", "ledger_entries.request_id", "requests.request_id")
        .select(["attempt_id", "ending", "error_code"])
        .where("requests.model_asked", "=", model)
        .executeTakeFirst(),
    );
    const bill = await eventually("the simulator has billed the call", () =>
      simulator.invoice().find(({ clientRequestId }) => clientRequestId === record.attempt_id),
    );
    return { bill, ending: record.ending, errorCode: record.error_code };
  }

  function running(): Promise<boolean> {
    return eventually("the simulator is working", () => suite.gateway.simulator.stats().running === 1);
  }

  for (const upstream of upstreams) {
    describe(`stop ${upstream.title}`, () => {
      for (const stream of [false, true]) {
        test(`before its first output${stream ? " of a stream" : ""}`, async () => {
          const model = upstream.scripted(`${NEVER},seed=${Number(stream)}`);
          const abort = new AbortController();
          const pending = suite.client.chat.completions.create({ model, messages, stream }, { signal: abort.signal });
          const rejected = assert.rejects(pending, APIUserAbortError);
          await running();
          abort.abort();
          await rejected;
          const { bill, ending } = await outcomeOf(model);
          assert.deepEqual([bill.ended, bill.output, ending], ["cancelled", 0, "caller-gone"]);
        });
      }

      test("in mid-stream, by the signal that was given", async () => {
        const model = upstream.scripted(`${LONG},seed=1`);
        const abort = new AbortController();
        const stream = await suite.client.chat.completions.create(
          { model, messages, stream: true },
          { signal: abort.signal },
        );
        let chunks = 0;
        for await (const _ of stream) if (++chunks === 4) abort.abort();
        assert.ok(chunks < TOKENS);
        const { bill, ending } = await outcomeOf(model);
        assert.deepEqual([bill.ended, ending], ["cancelled", "caller-gone"]);
        assert.ok(bill.output >= 3 && bill.output < TOKENS, String(bill.output));
      });

      test("in mid-stream, by the stream's own controller", async () => {
        const model = upstream.scripted(`${LONG},seed=2`);
        const stream = await suite.client.chat.completions.create({ model, messages, stream: true });
        let chunks = 0;
        for await (const _ of stream) if (++chunks === 4) stream.controller.abort();
        const { bill, ending } = await outcomeOf(model);
        assert.deepEqual([bill.ended, ending], ["cancelled", "caller-gone"]);
        assert.ok(bill.output < TOKENS);
      });

      test("by leaving the loop over the stream", async () => {
        const model = upstream.scripted(`${LONG},seed=3`);
        const stream = await suite.client.chat.completions.create({ model, messages, stream: true });
        for await (const { choices } of stream) if (choices[0]?.delta.content) break;
        const { bill, ending } = await outcomeOf(model);
        assert.deepEqual([bill.ended, ending], ["cancelled", "caller-gone"]);
      });

      test("by the stream helper", async () => {
        const model = upstream.scripted(`${LONG},seed=4`);
        const stream = suite.client.chat.completions.stream({ model, messages });
        stream.once("content", () => stream.abort());
        await assert.rejects(stream.finalChatCompletion(), APIUserAbortError);
        assert.equal((await outcomeOf(model)).bill.ended, "cancelled");
      });

      test("by the SDK's timeout, where that is shorter than a second", async () => {
        const model = upstream.scripted(`${NEVER},seed=5`);
        const pending = suite.client.chat.completions.create({ model, messages }, { timeout: 150 });
        await assert.rejects(pending, APIConnectionTimeoutError);
        const { bill, ending } = await outcomeOf(model);
        assert.deepEqual([bill.ended, ending], ["cancelled", "caller-gone"]);
      });

      test("before the SDK's timeout, which the gateway knows in whole seconds, so that the caller hears why", async () => {
        const model = upstream.scripted(`${NEVER},seed=6`);
        const pending = suite.client.chat.completions.create({ model, messages }, { timeout: 1_990 });
        await assert.rejects(
          pending,
          (error) => error instanceof InternalServerError && error.code === "deadline_exceeded",
        );
        const { bill, ending } = await outcomeOf(model);
        assert.deepEqual([bill.ended, ending], ["cancelled", "timeout"]);
      });
    });
  }

  testBooks(suite);
});
