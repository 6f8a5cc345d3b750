/** A target of the plan together with all that calling and pricing it takes; nothing is sent or held yet. */
import type { Price } from "../../accounting/price-book.ts";
import type {
  InboundCodec,
  InboundTranslation,
  OutboundCodec,
  OutboundTranslation,
  RequestView,
} from "../../dialects/dialect.ts";
import { findDialect } from "../../dialects/registry.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Endpoint } from "../../providers/endpoint.ts";
import type { Target } from "../../routing/plan.ts";
import type { Exchange } from "../exchange.ts";
import { planServing, type MayServe } from "../serving/may-serve.ts";
import { isChoice, otherModels, type OtherModels } from "../serving/other-models.ts";

export interface ChosenTarget {
  readonly target: Target;
  readonly endpoint: Endpoint;
  readonly inbound: InboundCodec;
  readonly outbound: OutboundCodec;
  /** `null`: same dialect on both sides. */
  readonly translator: Translator | null;
  /** `null`: the model has none, and such models are allowed. */
  readonly price: Price | null;
  /** Other models that may serve the call; `null` for nearly all. */
  readonly mayServe: MayServe | null;
}

/** What a hold is rated by; `null`: no model that may serve has a price. */
export function holdPrice({ price, mayServe }: Pick<ChosenTarget, "price" | "mayServe">): Price | null {
  return mayServe === null ? price : mayServe.dearest;
}

/** The two halves of a translation between the caller's dialect and the target's. */
export interface Translator {
  readonly inbound: InboundTranslation;
  readonly outbound: OutboundTranslation;
}

/** Throws `unpriced_model`, `unsupported_capability`. */
export function chooseTarget(
  exchange: Pick<Exchange, "snapshot" | "dialect" | "startedAtMs">,
  view: RequestView,
  target: Target,
): ChosenTarget {
  const { snapshot, dialect } = exchange;
  const endpoint = snapshot.endpoints.get(target.provider);
  const inbound = dialect.inbound;
  const outbound = findDialect(target.dialect).outbound;
  if (endpoint === undefined || inbound === undefined || outbound === undefined) {
    throw new HeadgateError("internal", `The plan names ${target.name}, which this snapshot cannot serve.`);
  }
  const price = snapshot.prices.find(target.provider, target.facts.model, view.serviceTier, exchange.startedAtMs);
  const translator = dialect.name === target.dialect ? null : findTranslator(inbound, outbound, target);
  // A translation carries no field that speaks of other models.
  const others = translator === null ? otherModels(view.document) : null;
  const mayServe =
    others === null && !isChoice(target.facts.model) ? null : findServing(exchange, view, target, price, others);
  if (snapshot.config.prices.unknownModel === "refuse") refuseUnpriced(target, price, mayServe);
  return { target, endpoint, inbound, outbound, translator, price, mayServe };
}

function findServing(
  { snapshot, startedAtMs }: Pick<Exchange, "snapshot" | "startedAtMs">,
  { serviceTier }: RequestView,
  { provider, facts: { model } }: Target,
  price: Price | null,
  others: OtherModels | null,
): MayServe {
  const find = (name: string): Price | null => snapshot.prices.find(provider, name, serviceTier, startedAtMs);
  return planServing({ provider, model, price }, others, find);
}

function refuseUnpriced(target: Target, price: Price | null, mayServe: MayServe | null): void {
  const field = price === null ? "model" : (mayServe?.unpricedField ?? null);
  if (field === null) return;
  const model = field === "model" ? `The model ${target.name}` : `The model that ${field} names`;
  throw new HeadgateError(
    "unpriced_model",
    `${model} has no price, and this gateway refuses models without one. The operator adds one under prices.overrides.`,
    { param: field },
  );
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
