/** `GET /v1/models` and `/v1/models/{id}` in OpenAI's shape: what this key may ask for. */
import { HeadgateError } from "../kernel/errors.ts";
import { nearest } from "../kernel/nearest.ts";
import { isModelAllowed } from "../routing/allow-list.ts";
import type { Snapshot } from "../exchange/snapshot.ts";
import type { ListedModel } from "../routing/plan.ts";
import type { Principal } from "../tenancy/principal.ts";

interface ModelObject {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
}

export function listModels(snapshot: Snapshot, principal: Principal): { object: "list"; data: ModelObject[] } {
  return { object: "list", data: allowed(snapshot, principal).map(toObject) };
}

/** Throws `model_not_found`, also for a model that the key may not use. */
export function retrieveModel(snapshot: Snapshot, principal: Principal, id: string): ModelObject {
  const models = allowed(snapshot, principal);
  const found = models.find((model) => model.id === id);
  if (found !== undefined) return toObject(found);
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

function allowed(snapshot: Snapshot, principal: Principal): readonly ListedModel[] {
  const { modelAllowList } = principal;
  const { router, config } = snapshot;
  const targetsOf = (id: string): readonly string[] => config.models[id]?.targets.map((target) => target.model) ?? [id];
  return router.list().filter((model) => isModelAllowed(modelAllowList, model.id, targetsOf(model.id)));
}

function toObject(model: ListedModel): ModelObject {
  return { id: model.id, object: "model", created: 0, owned_by: model.ownedBy };
}
