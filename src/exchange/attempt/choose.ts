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

export interface ChosenTarget {
  readonly target: Target;
  readonly endpoint: Endpoint;
  readonly inbound: InboundCodec;
  readonly outbound: OutboundCodec;
  /** `null`: same dialect on both sides. */
  readonly translator: Translator | null;
  /** `null`: the model has none, and such models are allowed. */
  readonly price: Price | null;
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
  if (price === null && snapshot.config.prices.unknownModel === "refuse") {
    throw new HeadgateError(
      "unpriced_model",
      `The model ${target.name} has no price, and this gateway refuses models without one. The operator adds one under prices.overrides.`,
      { param: "model" },
    );
  }
  const translator = dialect.name === target.dialect ? null : findTranslator(inbound, outbound, target);
  return { target, endpoint, inbound, outbound, translator, price };
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
