/** From a chosen target, once it is reserved, to a call that is ready to leave: credential, bytes, headers, timers, hold. */
import type { CommitConfig } from "../../config/config.ts";
import type {
  EncodedRequest,
  InboundCodec,
  Loss,
  OutboundCodec,
  RequestView,
  TargetFacts,
  UsageCount,
} from "../../dialects/dialect.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { IdSource } from "../../kernel/ids.ts";
import type { Credential } from "../../providers/endpoint.ts";
import type { UpstreamRequest } from "../../providers/transport.ts";
import type { RoutePolicy, Target } from "../../routing/plan.ts";
import type { HeldAmount } from "../../storage/escrow/bank.ts";
import type { Hold } from "../../storage/records.ts";
import type { AnswerMemory } from "../../streaming/answer-memory.ts";
import { planCommit } from "../../streaming/commit.ts";
import type { RelayOptions } from "../../streaming/relay.ts";
import type { Principal } from "../../tenancy/principal.ts";
import type { AttemptCall } from "./call.ts";
import type { ChosenTarget, Translator } from "./choose.ts";
import { keepShown, relayThrough, withPrefill, type Shown } from "./continuing.ts";
import type { CallerDeadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";
import { passedHeaders, withPassedHeaders } from "../passed-headers.ts";
import type { Holding } from "../reservation/estimate.ts";

export interface PreparedAttempt {
  readonly call: AttemptCall;
  readonly hold: Hold;
}

interface PrepareDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly admission: { readonly answers: AnswerMemory };
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
  /** When it must be over, monotonic. */
  readonly totalDueMs: number;
  /** How long it may be silent before the owner is told. `Infinity`: however long. */
  readonly slowAfterMs: number;
  /** What a broken stream has shown, where this attempt is to go on from there. */
  readonly continues: Shown | null;
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
  const encoded = encode(chosen, view, terms);
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
  return {
    call: createCall(exchange, {
      ...terms,
      ...chosen,
      attemptId,
      credential,
      encoded,
      view,
      memory: deps.admission.answers,
    }),
    hold,
  };
}

interface Encoded extends EncodedRequest {
  /** What the request gives as the beginning of its answer. */
  readonly prefill: string | null;
}

function encode(chosen: ChosenTarget, view: RequestView, { outputBound: bound, continues }: AttemptTerms): Encoded {
  const { translator, inbound, outbound, target } = chosen;
  const facts: TargetFacts = bound === null ? target.facts : { ...target.facts, outputBound: bound };
  // A beginning of the answer is given through the canonical form, also where the dialects are the same.
  const sides = translator ?? (continues === null ? null : withinDialect(inbound, outbound));
  if (sides === null) return { ...outbound.splice(view, facts), prefill: null };
  const asked = sides.inbound.decodeRequest(view);
  const request = bound === null ? asked : { ...asked, maxOutputTokens: bound };
  const prefilled = continues === null ? null : withPrefill(request, sides.outbound, facts, continues);
  if (translator === null && prefilled === null) return { ...outbound.splice(view, facts), prefill: null };
  const encoded = sides.outbound.encodeRequest(prefilled?.request ?? request, facts);
  return { ...encoded, prefill: prefilled?.prefill ?? null };
}

/** `null`: the dialect has no canonical form. */
function withinDialect(inbound: InboundCodec, outbound: OutboundCodec): Translator | null {
  if (inbound.translation === undefined || outbound.translation === undefined) return null;
  return { inbound: inbound.translation, outbound: outbound.translation };
}

interface CallParts
  extends ChosenTarget, Pick<AttemptTerms, "policy" | "deadline" | "totalDueMs" | "slowAfterMs" | "continues"> {
  readonly attemptId: string;
  readonly credential: Credential;
  readonly encoded: Encoded;
  readonly view: RequestView;
  readonly memory: AnswerMemory;
}

function createCall(exchange: Exchange, parts: CallParts): AttemptCall {
  const { target, endpoint, view, outbound, translator } = parts;
  const { timeouts } = target;
  const { responseBytes } = exchange.snapshot.config.limits;
  const shown = keepShown(parts.policy, parts, view, parts.continues, responseBytes, parts.memory);
  return {
    attemptId: parts.attemptId,
    target,
    providerName: endpoint.name,
    outbound,
    stream: view.stream,
    request: upstreamRequest(exchange, parts),
    losses: lossesOf(exchange, parts),
    requestIdHeader: endpoint.spec.requestIdHeader,
    timeouts,
    commit: commitOf(parts),
    slowAfterMs: parts.slowAfterMs,
    totalDueMs: parts.totalDueMs,
    firstOutputDueMs: exchange.responder.headSent ? Infinity : parts.deadline.firstOutputDueMs,
    deadline: parts.deadline,
    responseBytesMax: responseBytes,
    translateAnswer:
      translator === null ? null : (json, count) => translateAnswer(translator, json, exchange, view, target, count),
    isContinuation: parts.continues !== null,
    shown,
    relayOptions: () => relayOptions(exchange, parts, shown),
  };
}

function translateAnswer(
  translator: Translator,
  json: unknown,
  exchange: Exchange,
  view: RequestView,
  target: Target,
  count: UsageCount,
): Uint8Array {
  const response = translator.outbound.decodeResponse(json, target.facts.quirks);
  return translator.inbound.encodeResponse(response, view, exchange.startedAtMs, count);
}

/** Of the body, and of headers that only the caller's dialect has. */
function lossesOf(exchange: Exchange, { encoded, translator }: CallParts): readonly Loss[] {
  const passed = translator === null ? [] : passedHeaders(exchange);
  if (passed.length === 0) return encoded.losses;
  return [...encoded.losses, ...passed.filter((_, index) => index % 2 === 0)];
}

function upstreamRequest(exchange: Exchange, parts: CallParts): UpstreamRequest {
  const { endpoint, credential, outbound, target, translator, view } = parts;
  const idHeader = endpoint.spec.clientRequestIdHeader;
  const headers =
    translator === null ? withPassedHeaders(credential.headers, passedHeaders(exchange)) : credential.headers;
  return {
    method: "POST",
    origin: endpoint.origin,
    path: endpoint.basePath + outbound.path(target.facts.model, view.stream),
    headers: idHeader === null ? headers : [...headers, idHeader, parts.attemptId],
    body: parts.encoded.body,
  };
}

/** What goes on from what was shown is shown as it comes. */
function commitOf({ policy, continues }: CallParts): CommitConfig {
  return continues === null ? policy.commit : { ...policy.commit, at: "first-output" };
}

function relayOptions(exchange: Exchange, parts: CallParts, shown: Shown | null): RelayOptions {
  const { outbound, view } = parts;
  const { limits } = exchange.snapshot.config;
  const target = parts.target.facts;
  const { prefill } = parts.encoded;
  return {
    reader: outbound.createStreamReader(target.quirks, view.choices),
    ...relayThrough({ ...parts, target, createdMs: exchange.startedAtMs, shown, prefill }),
    streamEnd: parts.inbound.streamEnd,
    withholdUsage: !view.wantsStreamUsage,
    eventBytesMax: limits.streamEventBytes,
    invalidEvents: parts.policy.invalidEvents,
    commit: planCommit(commitOf(parts), limits.responseBytes),
  };
}
