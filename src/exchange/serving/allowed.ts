import type { RequestView } from "../../dialects/dialect.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import { isModelAllowed } from "../../routing/allow-list.ts";
import { otherModels } from "./other-models.ts";

/**
 * What a key may not ask for, it may not name in another field either. A name there is the provider's own; where the
 * request asks for its model by such a name as well, the other counts as asked for in the same way. Throws
 * `model_not_allowed` naming the field. `targets`: `provider/model`.
 */
export function refuseForbiddenOthers(
  allowList: readonly string[],
  { document, model: asked }: RequestView,
  targets: readonly string[],
): void {
  const others = otherModels(document);
  if (others === null) return;
  for (const { field, name } of others.named) {
    if (targets.every((target) => mayName(allowList, asked, target, name))) continue;
    throw new HeadgateError(
      "model_not_allowed",
      `This API key may not use the model ${JSON.stringify(name)}, which ${field} names. GET /v1/models lists those it may use.`,
      { param: field },
    );
  }
  const { openField } = others;
  if (openField === null || targets.every((target) => isModelAllowed(allowList, `${providerOf(target)}/*`, []))) return;
  throw new HeadgateError(
    "model_not_allowed",
    `This API key may use some models only, and ${openField} leaves it to the provider which one serves. Leave it out, or name the models.`,
    { param: openField },
  );
}

function mayName(allowList: readonly string[], asked: string, target: string, name: string): boolean {
  const provider = providerOf(target);
  const called = target.slice(provider.length + 1);
  const wholeName = `${provider}/${name}`;
  return name === called || isModelAllowed(allowList, asked === called ? name : wholeName, [wholeName]);
}

function providerOf(target: string): string {
  return target.slice(0, target.indexOf("/"));
}
