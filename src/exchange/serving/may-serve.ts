/**
 * What the models cost that may serve a call: what is held is the price of the dearest, what is charged that of the one
 * which the answer names.
 */
import { dearestOf } from "../../accounting/prices/dearest.ts";
import type { Price } from "../../accounting/price-book.ts";
import { isChoice, type OtherModels } from "./other-models.ts";
import { isSameModel } from "./same-model.ts";

/** A call for which the provider may take another model than the one that is called. */
export interface MayServe {
  /** `provider/model` of those that the request names. */
  readonly targets: readonly string[];
  /** Of those that have a price, the called one among them; `null`: none has. */
  readonly dearest: Price | null;
  /** The field of a model that has no price; `null`: all have. */
  readonly unpricedField: string | null;
  /** The field that leaves the choice to the provider; `null`: only those that are named can serve. */
  readonly openField: string | null;
  /** The largest bound on output that the request sets for one of them; 0: none. */
  readonly outputTokens: number;
  /** `model`: as the answer names it; `null`: it does not, or there is none. */
  served(model: string | null): Served;
}

export interface Served {
  /** `null`: it has none. */
  readonly price: Price | null;
  /** It is not the model that was called. */
  readonly isOther: boolean;
}

interface Called {
  readonly provider: string;
  readonly model: string;
  readonly price: Price | null;
}

/** `others`: of the request; `null` where the called model itself is a choice. `find`: the price of a model at the provider. */
export function planServing(
  { provider, model, price }: Called,
  others: OtherModels | null,
  find: (model: string) => Price | null,
): MayServe {
  const named = (others?.named ?? []).filter(({ name }) => name !== model);
  const openField = isChoice(model)
    ? "model"
    : (others?.openField ?? named.find(({ name }) => isChoice(name))?.field ?? null);
  const priced = named.map(({ field, name }) => ({ field, name, price: find(name) }));
  const prices = [price, ...priced.map((each) => each.price)].filter((each) => each !== null);
  const [first, ...more] = prices;
  const dearest = first === undefined ? null : dearestOf(first, ...more);
  const asked: Served = { price, isOther: false };
  return {
    targets: named.map(({ name }) => `${provider}/${name}`),
    dearest,
    unpricedField: priced.find((each) => each.price === null)?.field ?? null,
    openField,
    outputTokens: others?.outputTokens ?? 0,
    served(answered) {
      if (answered === null || isSameModel(answered, model)) return asked;
      const known = priced.find(({ name }) => isSameModel(answered, name));
      if (known !== undefined) return { price: known.price, isOther: true };
      const found = find(answered);
      // What cannot be told is charged as the dearest: no spelling makes a call cheaper.
      return { price: found === null || found.standIn ? (dearest ?? found) : found, isOther: true };
    },
  };
}
