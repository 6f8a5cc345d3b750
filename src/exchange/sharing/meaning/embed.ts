/**
 * What words mean, by the gateway's own embeddings endpoint. The call is an exchange of its own beside the one that needs
 * it: planned, held, charged to the same payer and recorded like any other, under the other's id with `_embedding` behind
 * it. It takes its route's retries and fallbacks, and its target's queue and health.
 *
 * Invariant: whatever becomes of it, the exchange that needs it goes on.
 */
import { findDialect } from "../../../dialects/registry.ts";
import { assert } from "../../../kernel/assert.ts";
import { type HeadgateError, toHeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import { type NanoUsd, zeroUsd } from "../../../kernel/money.ts";
import type { RequestRecord } from "../../../storage/records.ts";
import type { Principal } from "../../../tenancy/principal.ts";
import { conclude } from "../../conclusion/conclude.ts";
import { runCourse } from "../../course/course.ts";
import { Exchange, type Incoming } from "../../exchange.ts";
import { requiredTags } from "../../plan-request.ts";
import type { Responder } from "../../responder.ts";
import type { ExchangeDeps } from "../../run.ts";
import { readVectors } from "./vectors.ts";

export interface Words {
  /** `provider/model` or alias. */
  readonly model: string;
  readonly text: string;
  /** How long the answer is waited for. */
  readonly waitMs: number;
}

export interface Embedded {
  /** Of unit length; `null`: there is none, and `failure` says why unless the caller has left. */
  readonly vector: Float32Array | null;
  readonly failure: HeadgateError | null;
  readonly costNanoUsd: NanoUsd;
}

/** Never rejects. */
export async function embed(
  deps: ExchangeDeps,
  exchange: Exchange,
  principal: Principal,
  words: Words,
): Promise<Embedded> {
  const own = createOwnExchange(deps, exchange, words);
  const { share } = exchange;
  if (share !== null) share.embedding = own;
  try {
    // The operator chose the model, so the key's list of models says nothing about it.
    own.principal = { ...principal, modelAllowList: null };
    await runCourse(deps, own, own.principal);
  } catch (thrown) {
    own.failure = toHeadgateError(thrown);
  } finally {
    if (share !== null) share.embedding = null;
  }
  const record = await concludeOwn(deps, own);
  const vector = own.failure === null ? (readVectors(own.toldAttempt?.attempt.json)[0] ?? null) : null;
  return { vector, failure: own.failure, costNanoUsd: record?.costNanoUsd ?? zeroUsd };
}

function createOwnExchange({ clock }: ExchangeDeps, exchange: Exchange, { model, text, waitMs }: Words): Exchange {
  const dialect = findDialect("openai-embeddings");
  assert(dialect.inbound !== undefined, "embeddings can be asked for");
  const body = Buffer.from(JSON.stringify({ model, input: text }));
  const own = new Exchange(
    {
      requestId: `${exchange.requestId}_embedding`,
      startedAtMs: clock.wallMs(),
      startedMs: clock.monotonicMs(),
    },
    incomingOf(exchange, body, waitMs),
    nobody,
    exchange.snapshot,
    dialect,
  );
  const view = dialect.inbound.view(parseJsonDocument(body, { depth: exchange.snapshot.config.limits.jsonDepth }));
  own.view = { ...view, endUser: exchange.view?.endUser ?? null };
  own.bytesIn = body.byteLength;
  return own;
}

const tagsHeader = "x-headgate-require-tags";
const priorityHeader = "x-headgate-priority";

/** The words go only where the request itself may, by the tags of its route and its caller, and wait no less. */
function incomingOf(exchange: Exchange, body: Uint8Array, waitMs: number): Incoming {
  const tags = requiredTags(exchange, exchange.view?.model ?? "");
  const priority = exchange.incoming.headers[priorityHeader];
  return {
    method: "POST",
    path: "/v1/embeddings",
    headers: {
      "x-headgate-deadline-ms": String(waitMs),
      ...(tags.length === 0 ? {} : { [tagsHeader]: tags.join(",") }),
      ...(priority === undefined ? {} : { [priorityHeader]: priority }),
    },
    readBody: async () => body,
    refuseBody: () => false,
  };
}

/** The record is of interest only with what was charged, so `null` is as good as none. */
async function concludeOwn(deps: ExchangeDeps, own: Exchange): Promise<RequestRecord | null> {
  try {
    return await conclude(deps, own);
  } catch (thrown) {
    deps.telemetry.requestBroke(own.requestId, thrown);
    return null;
  } finally {
    own.release();
  }
}

const nobody: Responder = {
  headSent: false,
  bytesOut: 0,
  unreadBytes: 0,
  send() {},
  start() {},
  write: () => true,
  end() {},
  destroy() {},
};
