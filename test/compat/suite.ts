/**
 * What the files of this suite share: one gateway a file, with the simulator behind it and the official SDK before it,
 * and at the end of the file the gateway's ledger compared with the simulator's own invoice.
 */
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../support/gateway.ts";
import { compareBooks } from "./books.ts";

export interface Suite {
  readonly gateway: TestGateway;
  /** Does not retry by itself: what a test counts is what it did. */
  readonly client: OpenAI;
}

/** For the top of a `describe`: starts the gateway before its tests and stops it after them. */
export function openSuite(options: TestGatewayOptions = {}): Suite {
  let gateway: TestGateway | null = null;
  let client: OpenAI | null = null;
  before(async () => {
    gateway = await startTestGateway(options);
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, maxRetries: 0, timeout: 10_000 });
  });
  after(() => gateway?.[Symbol.asyncDispose]());
  return {
    get gateway() {
      return started(gateway);
    },
    get client() {
      return started(client);
    },
  };
}

/** For the end of the same `describe`. */
export function testBooks(suite: Suite): void {
  test("leaves a ledger that equals the simulator's invoice to the nano-dollar", () => compareBooks(suite.gateway));
}

function started<Value>(value: Value | null): Value {
  if (value === null) throw new Error("the gateway is started before the tests, not while they are declared");
  return value;
}
