import type { Price } from "../../../accounting/price-book.ts";
import type { Snapshot } from "../../../exchange/snapshot.ts";
import { toNanoUsd } from "../../../kernel/money.ts";
import { emptyUsage, type UsageBucket } from "../../../kernel/usage.ts";
import type { Invocation } from "../../command.ts";
import type { CliContext } from "../../context.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { viewAsServed } from "../../gateway-view.ts";
import { formatCount, renderTable } from "../../table.ts";
import { decimalUsd } from "../../values/money-text.ts";

export interface ModelsOptions {
  readonly match: string | null;
}

interface ModelRow {
  readonly id: string;
  readonly kind: "alias" | "model";
  /** `provider/model` of each target of an alias. */
  readonly targets: readonly string[];
  /** The same of its fallbacks. */
  readonly fallbacks: readonly string[];
  readonly description: string | null;
  readonly price: ShownPrice | null;
  readonly contextTokens: number | null;
}

/** Dollars per million tokens as decimal text, below any long-context tier. */
interface ShownPrice {
  readonly version: string;
  readonly input: string;
  readonly output: string;
  readonly cacheRead: string;
}

export async function run(invocation: Invocation<ModelsOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  const { snapshot, hasStandIn } = await viewAsServed(invocation);
  const wanted = options.match?.toLowerCase() ?? "";
  const rows = snapshot.router
    .list()
    .map(({ id }) => describe(id, snapshot, context))
    .filter(({ id }) => id.toLowerCase().includes(wanted));
  output.result({ models: rows }, () => (rows.length === 0 ? "No such models.\n" : renderModels(rows)));
  if (hasStandIn) {
    output.note("No provider is configured: until there is one, `headgate serve` answers with a simulator.");
  }
  return exitCodes.ok;
}

function describe(id: string, snapshot: Snapshot, context: CliContext): ModelRow {
  const alias = snapshot.config.models[id];
  if (alias !== undefined) {
    const targets = alias.targets.map(({ model }) => model);
    const fallbacks = alias.fallbacks.map(({ model }) => model);
    const { description } = alias;
    return { id, kind: "alias", targets, fallbacks, description, price: null, contextTokens: null };
  }
  const slash = id.indexOf("/");
  const [provider, model] = [id.slice(0, slash), id.slice(slash + 1)];
  const price = snapshot.prices.find(provider, model, null, context.clock.wallMs());
  const contextTokens = snapshot.routed.get(provider)?.factsOf(model).contextTokens ?? null;
  const shown = price === null || price.standIn ? null : showPrice(price);
  return { id, kind: "model", targets: [], fallbacks: [], description: null, price: shown, contextTokens };
}

function showPrice(price: Price): ShownPrice {
  return {
    version: price.version,
    input: perMillion(price, "inputTokens"),
    output: perMillion(price, "outputTokens"),
    cacheRead: perMillion(price, "cacheReadTokens"),
  };
}

/** Asked for a thousand, so that no tier for long contexts applies. */
function perMillion(price: Price, bucket: UsageBucket): string {
  const thousand = price.cost({ ...emptyUsage(), [bucket]: 1000 }) - price.cost(emptyUsage());
  return decimalUsd(toNanoUsd(thousand * 1000n));
}

function renderModels(rows: readonly ModelRow[]): string {
  const dollars = (text: string | undefined): string => (text === undefined ? "-" : `$${text}`);
  return renderTable(rows, [
    { title: "model", cell: ({ id }) => id },
    { title: "input / million", cell: ({ price }) => dollars(price?.input), align: "right" },
    { title: "cached", cell: ({ price }) => dollars(price?.cacheRead), align: "right" },
    { title: "output", cell: ({ price }) => dollars(price?.output), align: "right" },
    {
      title: "context",
      cell: ({ contextTokens }) => (contextTokens === null ? "-" : formatCount(contextTokens)),
      align: "right",
    },
    {
      title: "leads to",
      cell: ({ targets, fallbacks, description }) =>
        [[targets.join(", "), fallbacks.join(", ")].filter(Boolean).join(", else "), description]
          .filter(Boolean)
          .join(": "),
    },
  ]);
}
