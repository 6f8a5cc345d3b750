/** From a chosen target, once it is reserved, to a call that is ready to leave: credential, bytes, headers, timers, hold. */
import type { EncodedRequest, RequestView, TargetFacts } from "../../dialects/dialect.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { IdSource } from "../../kernel/ids.ts";
import type { Credential } from "../../providers/endpoint.ts";
import type { UpstreamRequest } from "../../providers/transport.ts";
import type { RoutePolicy, Target } from "../../routing/plan.ts";
import type { HeldAmount } from "../../storage/escrow/bank.ts";
import type { Hold } from "../../storage/records.ts";
import { planCommit } from "../../streaming/commit.ts";
import type { RelayOptions } from "../../streaming/relay.ts";
import type { Principal } from "../../tenancy/principal.ts";
import type { AttemptCall } from "./call.ts";
import type { ChosenTarget, Translator } from "./choose.ts";
import type { CallerDeadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";
import type { Holding } from "../reservation/estimate.ts";

export interface PreparedAttempt {
  readonly call: AttemptCall;
  readonly hold: Hold;
}

interface PrepareDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** What was decided about the attempt before. */
export interface AttemptTerms {
  readonly chosen: ChosenTarget;
  /** Its name. */
  readonly credential: string;
  readonly policy: RoutePolicy;
  readonly deadline: CallerDeadline;
  readonly held: Holding;
  readonly heldAmounts: readonly HeldAmount[];
  /** Replaces the caller's bound on output; `null`: it stands. */
  readonly outputBound: number | null;
  /** How long it may be silent before the owner is told. `Infinity`: however long. */
  readonly slowAfterMs: number;
}

/** Throws `unsupported_parameter`, `upstream_credentials`: nothing is sent yet. */
export function prepareAttempt(
  deps: PrepareDeps,
  exchange: Exchange,
  view: RequestView,
  principal: Principal,
  terms: AttemptTerms,
): PreparedAttempt {
  const { chosen } = terms;
  const encoded = encode(chosen, view, terms.outputBound);
  const credential = chosen.endpoint.credential(terms.credential);
  const attemptId = deps.ids.next("att");
  const hold: Hold = {
    attemptId,
    requestId: exchange.requestId,
    startedAtMs: deps.clock.wallMs(),
    payer: principal.payer,
    endUser: view.endUser,
    operation: exchange.dialect.operation,
    provider: chosen.target.provider,
    credential: credential.name,
    modelAsked: view.model,
    modelTarget: chosen.target.name,
    priceVersion: chosen.price?.version ?? null,
    heldUsage: terms.held.usage,
    heldCostNanoUsd: terms.held.costNanoUsd,
    heldAmounts: terms.heldAmounts,
  };
  return { call: createCall(exchange, { ...terms, ...chosen, attemptId, credential, encoded, view }), hold };
}

function encode(
  { translator, outbound, target }: ChosenTarget,
  view: RequestView,
  bound: number | null,
): EncodedRequest {
  const facts: TargetFacts = bound === null ? target.facts : { ...target.facts, outputBound: bound };
  if (translator === null) return { body: outbound.splice(view, facts), losses: [] };
  const request = translator.inbound.decodeRequest(view);
  return translator.outbound.encodeRequest(bound === null ? request : { ...request, maxOutputTokens: bound }, facts);
}

interface CallParts extends ChosenTarget, Pick<AttemptTerms, "policy" | "deadline" | "slowAfterMs"> {
  readonly attemptId: string;
  readonly credential: Credential;
  readonly encoded: EncodedRequest;
  readonly view: RequestView;
}

function createCall(exchange: Exchange, parts: CallParts): AttemptCall {
  const { target, endpoint, view, outbound, translator } = parts;
  const { timeouts } = target;
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
    commit: parts.policy.commit,
    slowAfterMs: parts.slowAfterMs,
    totalDueMs,
    firstOutputDueMs: parts.deadline.firstOutputDueMs,
    deadlineIsCallers: totalDueMs !== policyDueMs,
    responseBytesMax: exchange.snapshot.config.limits.responseBytes,
    translateAnswer: translator === null ? null : (json) => translateAnswer(translator, json, exchange, view, target),
    relayOptions: () => relayOptions(exchange, parts),
  };
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
    commit: planCommit(parts.policy.commit, limits.responseBytes),
  };
}
