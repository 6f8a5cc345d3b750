/**
 * `GET /v1/models` and `/v1/models/{id}`: what this key may ask for, in the shape that the caller's dialect has for it.
 * Wire facts: openai-node, `Model`; anthropic-sdk-typescript, `ModelInfo` and `Page` (the list fits on one). When a model
 * was made is not known: both APIs have the beginning of the epoch for that.
 */
import { HeadgateError } from "../kernel/errors.ts";
import { nearest } from "../kernel/nearest.ts";
import { isModelAllowed } from "../routing/allow-list.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ListedModel } from "../routing/plan.ts";
import type { Principal } from "../tenancy/principal.ts";

interface OpenAiModel {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
}

interface AnthropicModel {
  readonly id: string;
  readonly type: "model";
  readonly display_name: string;
  readonly created_at: string;
}

/** What of an exchange decides which models are told, and how. */
export type Asking = Pick<Exchange, "snapshot" | "dialect">;

export function listModels(asking: Asking, principal: Principal): object {
  const models = allowed(asking, principal);
  if (!speaksMessages(asking)) return { object: "list", data: models.map(toOpenAi) };
  const data = models.map(toAnthropic);
  return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}

/** Throws `model_not_found`, also for a model that the key may not use. */
export function retrieveModel(asking: Asking, principal: Principal, id: string): object {
  const models = allowed(asking, principal);
  const found = models.find((model) => model.id === id);
  if (found !== undefined) return speaksMessages(asking) ? toAnthropic(found) : toOpenAi(found);
  const near = nearest(
    id,
    models.map((model) => model.id),
    3,
  );
  const hint = near.length === 0 ? "GET /v1/models lists the models of this key." : `Near names: ${near.join(", ")}.`;
  throw new HeadgateError("model_not_found", `There is no model ${JSON.stringify(id.slice(0, 200))}. ${hint}`, {
    param: "model",
  });
}

function speaksMessages({ dialect }: Asking): boolean {
  return dialect.name === "anthropic-messages";
}

function allowed({ snapshot: { router, config } }: Asking, { modelAllowList }: Principal): readonly ListedModel[] {
  const targetsOf = (id: string): readonly string[] => config.models[id]?.targets.map((target) => target.model) ?? [id];
  return router.list().filter((model) => isModelAllowed(modelAllowList, model.id, targetsOf(model.id)));
}

function toOpenAi({ id, ownedBy }: ListedModel): OpenAiModel {
  return { id, object: "model", created: 0, owned_by: ownedBy };
}

function toAnthropic({ id }: ListedModel): AnthropicModel {
  return { id, type: "model", display_name: id, created_at: "1970-01-01T00:00:00Z" };
}
