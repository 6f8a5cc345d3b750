/**
 * What has no price: targets that the configuration names, models that were called all the same, and models of the
 * price lists in use that the source of prices knows without a price that can be used.
 */
import { HeadgateError } from "../../../kernel/errors.ts";
import { listUnpricedTargets } from "../../../storage/reports/unpriced-targets.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { formatCount, renderTable } from "../../table.ts";
import { inThePast, type Moment } from "../../values/moment.ts";
import { openExistingRecords } from "../../workspace.ts";
import { openPrices, type PriceView, splitTarget } from "./price-view.ts";

export interface MissingOptions {
  readonly since: Moment | null;
}

interface UsedModel {
  /** `provider/model` that was called. */
  readonly model: string;
  /** That had no price when they were made, and were not rated since. */
  readonly attempts: number;
  /** Whether it has one now, by which they can be re-rated. */
  readonly pricedNow: boolean;
}

export async function run(invocation: Invocation<MissingOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  const view = openPrices(invocation);
  const nowMs = context.clock.wallMs();
  const configured = configuredTargets(view).filter((target) => !hasPrice(target, view, nowMs));
  const used = await readUsed(invocation, view, options.since === null ? null : inThePast(options.since, nowMs), nowMs);
  const listed = listedModels(view);
  output.result({ configured, used, listed }, () => renderMissing(configured, used, listed));
  return configured.length + used.length > 0 ? exitCodes.checks : exitCodes.ok;
}

function configuredTargets({ config }: PriceView): readonly string[] {
  const targets = Object.values(config.models).flatMap(({ targets, fallbacks }) =>
    [...targets, ...fallbacks].map(({ model }) => model),
  );
  const models = Object.entries(config.providers).flatMap(([name, provider]) =>
    provider.models.map((model) => `${name}/${model.name}`),
  );
  return [...new Set([...targets, ...models])].sort();
}

function hasPrice(target: string, { book }: PriceView, atMs: number): boolean {
  const [provider, model] = splitTarget(target) ?? ["", target];
  const price = book.find(provider, model, null, atMs);
  return price !== null && !price.standIn;
}

/** Empty where there is no store yet. */
async function readUsed(
  invocation: Invocation<unknown>,
  view: PriceView,
  fromMs: number | null,
  nowMs: number,
): Promise<readonly UsedModel[]> {
  try {
    await using records = openExistingRecords(invocation);
    const targets = await listUnpricedTargets(records.db, fromMs);
    return targets.map(({ target, attempts }) => ({
      model: target,
      attempts,
      pricedNow: hasPrice(target, view, nowMs),
    }));
  } catch (reason) {
    if (reason instanceof HeadgateError && reason.code === "not_found") return [];
    throw reason;
  }
}

/** By configured provider; without those of which all models have a price. */
function listedModels({ config, providers, catalogue }: PriceView): Readonly<Record<string, readonly string[]>> {
  const listed = Object.keys(config.providers).flatMap((name) => {
    const list = providers[name]?.priceList ?? null;
    const models = list === null ? [] : catalogue.unpriced(list);
    return models.length === 0 ? [] : [[name, models] as const];
  });
  return Object.fromEntries(listed);
}

function renderMissing(
  configured: readonly string[],
  used: readonly UsedModel[],
  listed: Readonly<Record<string, readonly string[]>>,
): string {
  const parts: string[] = [];
  if (configured.length > 0)
    parts.push(`Configured without a price:\n${configured.map((name) => `  ${name}\n`).join("")}`);
  if (used.length > 0) {
    const table = renderTable(used, [
      { title: "called without a price", cell: ({ model }) => model },
      { title: "attempts", cell: ({ attempts }) => formatCount(attempts), align: "right" },
      { title: "now", cell: ({ pricedNow }) => (pricedNow ? "has a price: headgate prices rerate" : "none") },
    ]);
    parts.push(table);
  }
  for (const [provider, models] of Object.entries(listed)) {
    parts.push(`Known to the price list of ${provider}, without a price per token:\n  ${models.join(", ")}\n`);
  }
  if (configured.length + used.length === 0) parts.unshift("Everything configured or called has a price.\n");
  else parts.push("Prices of your own go under prices.overrides.\n");
  return parts.join("\n");
}
