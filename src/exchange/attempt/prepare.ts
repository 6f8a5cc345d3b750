/** From a chosen target to a call that is ready to leave: credential, bytes, headers, timers, price and hold. */
import { worstUsage } from "../../accounting/estimate.ts";
import type { Price } from "../../accounting/price-book.ts";
import type { TimeoutsConfig } from "../../config/config.ts";
import type {
  EncodedRequest,
  InboundCodec,
  InboundTranslation,
  OutboundCodec,
  OutboundTranslation,
  RequestView,
} from "../../dialects/dialect.ts";
import { findDialect } from "../../dialects/registry.ts";
import type { Clock } from "../../kernel/clock.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { IdSource } from "../../kernel/ids.ts";
import { zeroUsd } from "../../kernel/money.ts";
import type { Credential, Endpoint } from "../../providers/endpoint.ts";
import type { UpstreamRequest } from "../../providers/transport.ts";
import type { Target } from "../../routing/plan.ts";
import type { Hold } from "../../storage/records.ts";
import type { RelayOptions } from "../../streaming/relay.ts";
import type { Principal } from "../../tenancy/principal.ts";
import type { AttemptCall } from "./call.ts";
import type { CallerDeadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";

export interface PreparedAttempt {
  readonly call: AttemptCall;
  readonly hold: Hold;
  readonly endpoint: Endpoint;
  readonly price: Price | null;
}

interface PrepareDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** What is held back before a stream's first output: role chunks, block starts, pings. */
const HELD_BYTES_MAX = 1_048_576;

/**
 * Throws `unpriced_model`, `unsupported_parameter`, `upstream_credentials`:
 * all before anything is held or sent.
 */
export function prepareAttempt(
  deps: PrepareDeps,
  exchange: Exchange,
  view: RequestView,
  principal: Principal,
  target: Target,
  deadline: CallerDeadline,
): PreparedAttempt {
  const endpoint = exchange.snapshot.endpoints.get(target.provider);
  const inbound = exchange.dialect.inbound;
  const outbound = findDialect(target.dialect).outbound;
  if (endpoint === undefined || inbound === undefined || outbound === undefined) {
    throw new HeadgateError("internal", `The plan names ${target.name}, which this snapshot cannot serve.`);
  }
  const price = exchange.snapshot.prices.find(
    target.provider,
    target.facts.model,
    view.serviceTier,
    exchange.startedAtMs,
  );
  if (price === null && exchange.snapshot.config.prices.unknownModel === "refuse") {
    throw new HeadgateError(
      "unpriced_model",
      `The model ${target.name} has no price, and this gateway refuses models without one. The operator adds one under prices.overrides.`,
      { param: "model" },
    );
  }
  const translator = exchange.dialect.name === target.dialect ? null : findTranslator(inbound, outbound, target);
  const encoded =
    translator === null
      ? { body: outbound.splice(view, target.facts), losses: [] }
      : translator.outbound.encodeRequest(translator.inbound.decodeRequest(view), target.facts);
  const credential = endpoint.nextCredential();
  const attemptId = deps.ids.next("att");
  return {
    call: createCall(exchange, {
      attemptId,
      target,
      endpoint,
      credential,
      inbound,
      outbound,
      translator,
      encoded,
      view,
      deadline,
    }),
    hold: createHold(deps, exchange, view, principal, { attemptId, target, credential, price }),
    endpoint,
    price,
  };
}

/** The two halves of a translation between the caller's dialect and the target's. */
interface Translator {
  readonly inbound: InboundTranslation;
  readonly outbound: OutboundTranslation;
}

function findTranslator(inbound: InboundCodec, outbound: OutboundCodec, target: Target): Translator {
  if (inbound.translation === undefined || outbound.translation === undefined) {
    throw new HeadgateError(
      "unsupported_capability",
      `The model ${target.name} cannot be reached in the dialect of this path.`,
      { param: "model" },
    );
  }
  return { inbound: inbound.translation, outbound: outbound.translation };
}

interface HoldParts {
  readonly attemptId: string;
  readonly target: Target;
  readonly credential: Credential;
  readonly price: Price | null;
}

function createHold(
  deps: PrepareDeps,
  exchange: Exchange,
  view: RequestView,
  principal: Principal,
  parts: HoldParts,
): Hold {
  const worst = worstUsage({
    inputBytes: view.document.bytes.byteLength,
    maxOutputTokens: view.maxOutputTokens ?? parts.target.facts.maxOutputTokens,
    choices: view.choices,
    operation: exchange.dialect.operation,
    media: view.needs.images || view.needs.audio || view.needs.documents,
  });
  return {
    attemptId: parts.attemptId,
    requestId: exchange.requestId,
    startedAtMs: deps.clock.wallMs(),
    payer: principal.payer,
    endUser: view.endUser,
    operation: exchange.dialect.operation,
    provider: parts.target.provider,
    credential: parts.credential.name,
    modelAsked: view.model,
    modelTarget: parts.target.name,
    priceVersion: parts.price?.version ?? null,
    worstUsage: worst,
    worstCostNanoUsd: parts.price?.worstCost(worst) ?? zeroUsd,
  };
}

interface CallParts {
  readonly attemptId: string;
  readonly target: Target;
  readonly endpoint: Endpoint;
  readonly credential: Credential;
  readonly inbound: InboundCodec;
  readonly outbound: OutboundCodec;
  readonly translator: Translator | null;
  readonly encoded: EncodedRequest;
  readonly view: RequestView;
  readonly deadline: CallerDeadline;
}

function createCall(exchange: Exchange, parts: CallParts): AttemptCall {
  const { target, endpoint, view, outbound, translator } = parts;
  const timeouts = timeoutsFor(exchange, endpoint, view.model);
  const policyDueMs = timeouts.totalMs === 0 ? Infinity : exchange.startedMs + timeouts.totalMs;
  const totalDueMs = Math.min(policyDueMs, parts.deadline.totalDueMs);
  return {
    attemptId: parts.attemptId,
    target,
    providerName: endpoint.name,
    outbound,
    stream: view.stream,
    request: upstreamRequest(parts),
    losses: parts.encoded.losses,
    requestIdHeader: endpoint.spec.requestIdHeader,
    timeouts,
    totalDueMs,
    firstOutputDueMs: parts.deadline.firstOutputDueMs,
    deadlineIsCallers: totalDueMs !== policyDueMs,
    responseBytesMax: exchange.snapshot.config.limits.responseBytes,
    translateAnswer: translator === null ? null : (json) => translateAnswer(translator, json, exchange, view, target),
    relayOptions: () => relayOptions(exchange, parts),
  };
}

function timeoutsFor(exchange: Exchange, endpoint: Endpoint, model: string): TimeoutsConfig {
  const alias = exchange.snapshot.config.models[model];
  return alias === undefined ? endpoint.timeouts : { ...endpoint.timeouts, ...alias.timeouts };
}

function translateAnswer(
  translator: Translator,
  json: unknown,
  exchange: Exchange,
  view: RequestView,
  target: Target,
): Uint8Array {
  const response = translator.outbound.decodeResponse(json, target.facts.quirks);
  return translator.inbound.encodeResponse(response, view, exchange.startedAtMs);
}

function upstreamRequest(parts: CallParts): UpstreamRequest {
  const { endpoint, credential, outbound, target, view } = parts;
  const idHeader = endpoint.spec.clientRequestIdHeader;
  return {
    method: "POST",
    origin: endpoint.origin,
    path: endpoint.basePath + outbound.path(target.facts.model, view.stream),
    headers: idHeader === null ? credential.headers : [...credential.headers, idHeader, parts.attemptId],
    body: parts.encoded.body,
  };
}

function relayOptions(exchange: Exchange, parts: CallParts): RelayOptions {
  const { outbound, target, view, translator } = parts;
  const { limits } = exchange.snapshot.config;
  return {
    reader: outbound.createStreamReader(target.facts.quirks, view.choices),
    translation:
      translator === null
        ? null
        : {
            decoder: translator.outbound.createStreamDecoder(target.facts.quirks),
            encoder: translator.inbound.createStreamEncoder(view, exchange.startedAtMs),
          },
    streamEnd: parts.inbound.streamEnd,
    withholdUsage: !view.wantsStreamUsage,
    eventBytesMax: limits.streamEventBytes,
    heldBytesMax: HELD_BYTES_MAX,
  };
}
