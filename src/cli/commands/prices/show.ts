import type { Price } from "../../../accounting/price-book.ts";
import type { CatalogueRate, CatalogueRates } from "../../../accounting/prices/catalogue.ts";
import { releaseOf } from "../../../accounting/prices/catalogue.ts";
import type { CurrencyConfig } from "../../../config/config.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseUsd } from "../../../kernel/money.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { formatCount, renderTable } from "../../table.ts";
import { inCurrency } from "../../values/currency.ts";
import { inTheFuture, type Moment } from "../../values/moment.ts";
import { isoTime } from "../../values/time-text.ts";
import { openPrices, type PriceView, splitTarget } from "./price-view.ts";

export interface ShowOptions {
  readonly model: string;
  readonly at: Moment | null;
  readonly serviceTier: string | null;
}

interface ShownPrice {
  /** `provider/model`. */
  readonly model: string;
  readonly price: Price | null;
}

export async function run(invocation: Invocation<ShowOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  const view = openPrices(invocation);
  const nowMs = context.clock.wallMs();
  const atMs = options.at === null ? nowMs : inTheFuture(options.at, nowMs);
  const shown = targetsOf(options.model, view).map(([provider, model]) => ({
    model: `${provider}/${model}`,
    price: view.book.find(provider, model, options.serviceTier, atMs),
  }));
  if (shown.every(({ price }) => price === null)) {
    const message = `${options.model} has no price. Give it one under prices.overrides; \`headgate prices missing\` lists all that have none.`;
    throw new HeadgateError("not_found", message, { param: "model" });
  }
  const document = {
    at: isoTime(atMs),
    serviceTier: options.serviceTier,
    catalogue: { release: releaseOf(view.inUse), date: view.inUse.source.date },
    prices: shown.map(describe),
  };
  output.result(document, () => shown.map((each) => renderPrice(each, view.config.prices.currency)).join("\n"));
  return exitCodes.ok;
}

/** The targets of an alias, `provider/model` itself, or every provider whose list has a model of that name. */
function targetsOf(name: string, { config, catalogue, providers }: PriceView): readonly (readonly [string, string])[] {
  const alias = config.models[name];
  if (alias !== undefined) return alias.targets.flatMap(({ model }) => [splitTarget(model) ?? ["", model]]);
  const target = splitTarget(name);
  if (target !== null && Object.hasOwn(providers, target[0])) return [target];
  const listed = Object.entries(providers).flatMap(([provider, { priceList }]) =>
    priceList !== null && catalogue.find(priceList, name) !== null ? [[provider, name] as const] : [],
  );
  if (listed.length > 0) return listed;
  throw new HeadgateError("not_found", `No alias, provider/model or model of a price list is called ${name}.`, {
    param: "model",
  });
}

function describe({ model, price }: ShownPrice): Readonly<Record<string, unknown>> {
  if (price === null) return { model, version: null, standIn: false, rates: {} };
  return { model, version: price.version, standIn: price.standIn, rates: price.rates };
}

interface RateRow {
  readonly unit: string;
  readonly above: number | null;
  readonly dollars: string;
}

const perCall: ReadonlySet<string> = new Set(["tool", "search", "request"]);

function renderPrice({ model, price }: ShownPrice, currency: CurrencyConfig): string {
  if (price === null) return `${model}: no price\n`;
  const heading = `${model}: ${price.version}\n`;
  const rows = rateRows(price.rates);
  if (rows.length === 0) return `${heading}Nothing is charged.\n`;
  const table = renderTable(rows, [
    { title: "unit", cell: ({ unit }) => (perCall.has(unit) ? `${unit} each` : `${unit} / million`) },
    { title: "dollars", cell: ({ dollars }) => `$${dollars}`, align: "right" },
    ...(currency.code === null
      ? []
      : [{ title: currency.code, cell: (row: RateRow) => converted(row.dollars, currency), align: "right" as const }]),
    {
      title: "input tokens",
      cell: ({ above }) => (above === null ? "" : `more than ${formatCount(above)}`),
    },
  ]);
  return heading + table;
}

function rateRows(rates: CatalogueRates): readonly RateRow[] {
  return (Object.entries(rates) as [string, CatalogueRate][]).flatMap(([unit, rate]) => {
    if (typeof rate === "string") return [{ unit, above: null, dollars: rate }];
    const [base, ...tiers] = rate;
    return [{ unit, above: null, dollars: base }, ...tiers.map(([above, dollars]) => ({ unit, above, dollars }))];
  });
}

function converted(dollars: string, currency: CurrencyConfig): string {
  const amount = parseUsd(dollars);
  return amount === null ? "" : (inCurrency(amount, currency) ?? "");
}
