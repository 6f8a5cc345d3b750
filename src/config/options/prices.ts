import type {
  CurrencyConfig,
  LaterPrice,
  LongContextRates,
  PriceOverride,
  PriceRates,
  PricesConfig,
  RateCard,
} from "../config.ts";
import type { GroupNode, Option, Options } from "./option.ts";
import { amount, choice, nullable, numeric, required } from "./scalars.ts";
import { group } from "./sections.ts";

const input = "Dollars per million input tokens.";
const output = "Dollars per million output tokens.";

const cardFields: Options<Omit<RateCard, "longContext">> = {
  input: required("dollars", { doc: input }),
  output: required("dollars", { doc: output }),
  cacheRead: rate("Dollars per million input tokens read from the provider's prompt cache.", "the price of input"),
  cacheWrite5m: rate(
    "Dollars per million input tokens written to a prompt cache of five minutes.",
    "the price of input",
  ),
  cacheWrite1h: rate(
    "Dollars per million input tokens written to a prompt cache of an hour.",
    "`cacheWrite5m`, else the price of input",
  ),
  reasoning: rate("Dollars per million reasoning tokens.", "the price of output"),
  audioInput: rate("Dollars per million input tokens of audio.", "the price of input"),
  audioOutput: rate("Dollars per million output tokens of audio.", "the price of output"),
  imageInput: rate("Dollars per million input tokens of images.", "the price of input"),
  imageOutput: rate("Dollars per million output tokens of images.", "the price of output"),
  tool: rate("Dollars per call of a tool that the provider runs and bills.", "nothing"),
  search: rate("Dollars per search that the provider runs and bills.", "nothing"),
  request: rate("Dollars per request, besides tokens.", "nothing"),
};

const longContextFields: Options<LongContextRates> = {
  above: numeric("integer", {
    doc: "Input tokens, cached ones included, beyond which these prices are those of the whole request.",
    default: 200_000,
    min: 1,
    max: 1_000_000_000,
  }),
  ...changedRates(),
};

const longContext: Option<readonly LongContextRates[]> = {
  node: "list",
  doc: "Prices of requests with a long input, in rising order of `above`.",
  min: 0,
  item: repeated("One threshold, `above`, and the prices that differ beyond it.", longContextFields),
};

const rateCardFields: Options<RateCard> = { ...cardFields, longContext };

const serviceTiers: Option<Readonly<Record<string, RateCard>>> = {
  node: "dictionary",
  doc: "Prices at other service tiers than the standard one. A tier that is not here is charged at the standard rates, and the price version says so.",
  keyName: "<tier>",
  keyPattern: /^[a-z][a-z0-9_-]{0,31}$/,
  keyDoc: "the provider's name of the tier, such as `flex`, `priority` or `batch`",
  value: repeated("The prices at one service tier.", rateCardFields),
};

const laterFields: Options<LaterPrice> = {
  from: required("text", { doc: "First day, UTC, such as `2026-12-01`.", ...day() }),
  ...rateCardFields,
  serviceTiers,
};

const overrideFields: Options<PriceOverride> = {
  from: nullable("text", { doc: "First day, UTC, such as `2026-12-01`.", ...day(), absent: "it holds always" }),
  ...rateCardFields,
  serviceTiers,
  later: {
    node: "list",
    doc: "What the price changes to, in order of days; each replaces all of the one before.",
    min: 0,
    item: repeated("The price from a day on, which `from` must name.", laterFields),
  },
};

const currencyFields: Options<CurrencyConfig> = {
  code: nullable("text", {
    doc: "Commands show amounts in this currency besides dollars. Limits, the ledger and exports stay in dollars.",
    pattern: /^[A-Z]{3}$/,
    patternDoc: "the three letters of a currency, such as EUR",
    absent: "dollars only",
  }),
  perUsd: nullable("dollars", {
    doc: "What one dollar is worth in it, such as `0.92`; required with `code`.",
    absent: "dollars only",
  }),
};

export const pricesOptions: Options<PricesConfig> = {
  unknownModel: choice(["allow-unbudgeted", "allow", "refuse", "hold"], {
    doc: "A call of a model without a price: `allow` it at no cost with a flag in the ledger, `refuse` it, or `hold` and charge `unknownModelHold` for it with the same flag. `allow-unbudgeted` allows it where no budget of money applies that could refuse it, and refuses it where one does, because it could not limit it.",
    default: "allow-unbudgeted",
  }),
  unknownModelHold: amount({
    doc: "Dollars that each call of a model without a price is held at and charged, with `unknownModel: hold`.",
    default: "0.05",
  }),
  currency: group("In what else commands show money.", currencyFields),
  overrides: {
    node: "dictionary",
    doc: "Prices of your own, by `provider/model`; each replaces the catalogue's whole entry.",
    keyName: "<provider/model>",
    keyPattern: /^[a-z0-9][a-z0-9._-]*\/\S+$/,
    keyDoc: "`provider/model`",
    value: group("The prices of one model.", overrideFields),
  },
};

function rate(doc: string, absent: string): Option<string | null> {
  return nullable("dollars", { doc, absent });
}

/** Each rate may be left out. */
function changedRates(): Options<PriceRates> {
  const names = Object.keys(cardFields) as (keyof PriceRates)[];
  const fields = names.map((name) => [name, rate(cardFields[name].doc, "as for shorter requests")] as const);
  return Object.fromEntries(fields) as Options<PriceRates>;
}

/** A section whose keys are documented where they stand first: at the price itself. */
function repeated<Section>(doc: string, fields: Options<Section>): GroupNode & { readonly fields: Options<Section> } {
  return { ...group(doc, fields), sameAs: "prices.overrides.<provider/model>" };
}

function day(): { readonly pattern: RegExp; readonly patternDoc: string } {
  return { pattern: /^\d{4}-\d{2}-\d{2}$/, patternDoc: "a day, such as 2026-12-01" };
}
