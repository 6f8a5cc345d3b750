/** What would become of prices if one catalogue took another's place. */
import type { CatalogueModel, CatalogueVariant } from "./catalogue.ts";
import type { CatalogueFile } from "./catalogue-file.ts";
import { formatRates } from "./version.ts";

/** `names`: which model names it is for; `context`: how much it can read. */
export type ChangeKind = "added" | "removed" | "price" | "names" | "context";

export interface CatalogueChange {
  readonly list: string;
  readonly model: string;
  readonly kind: ChangeKind;
  /** What it was and what it would be, for people; `null` for a model that was or would not be there. */
  readonly before: string | null;
  readonly after: string | null;
}

/** In the order of lists and models. A list or model that both have, and alike, is not in it. */
export function compareCatalogues(before: CatalogueFile, after: CatalogueFile): readonly CatalogueChange[] {
  const lists = [...new Set([...Object.keys(before.lists), ...Object.keys(after.lists)])].sort();
  return lists.flatMap((list) => {
    const [old, next] = [modelsOf(before, list), modelsOf(after, list)];
    const ids = [...new Set([...old.keys(), ...next.keys()])].sort();
    return ids.flatMap((id) => compareModels(list, id, old.get(id) ?? null, next.get(id) ?? null));
  });
}

function modelsOf({ lists }: CatalogueFile, list: string): ReadonlyMap<string, CatalogueModel> {
  return new Map(lists[list]?.models.map((model) => [model.id, model]));
}

function compareModels(
  list: string,
  model: string,
  before: CatalogueModel | null,
  after: CatalogueModel | null,
): readonly CatalogueChange[] {
  const change = (kind: ChangeKind, text: (each: CatalogueModel) => string): CatalogueChange => ({
    list,
    model,
    kind,
    before: before && text(before),
    after: after && text(after),
  });
  if (before === null) return [change("added", describePrices)];
  if (after === null) return [change("removed", describePrices)];
  const possible = [
    change("price", describePrices),
    change("names", ({ match }) => JSON.stringify(match)),
    change("context", ({ context }) => String(context ?? "unknown")),
  ];
  return possible.filter((each) => each.before !== each.after);
}

/** `input=1,output=4; from 2026-08-17: input=2,output=8`. */
function describePrices({ prices }: CatalogueModel): string {
  return prices.map(describeVariant).join("; ");
}

function describeVariant({ from, daily, rates }: CatalogueVariant): string {
  const when = [from && `from ${from}`, daily && `daily ${daily.join(" to ")}`].filter(Boolean).join(", ");
  return when === "" ? formatRates(rates) : `${when}: ${formatRates(rates)}`;
}
