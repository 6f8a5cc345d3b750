/** The prices in use, for commands that look at them without a running gateway. */
import { createPriceBook, type PriceBook, type PricedProvider } from "../../../accounting/price-book.ts";
import type { CatalogueFile } from "../../../accounting/prices/catalogue-file.ts";
import {
  isInUse,
  loadPriceCatalogue,
  pinnedCatalogueFile,
  type PriceCatalogue,
} from "../../../accounting/prices/catalogue.ts";
import { readRefreshedCatalogue } from "../../../accounting/prices/refreshed.ts";
import type { Config } from "../../../config/config.ts";
import { findProviderSpec, providerSpecs } from "../../../providers/catalogue.ts";
import type { Invocation } from "../../command.ts";
import { loadSettings } from "../../workspace.ts";

export interface PriceView {
  readonly config: Config;
  readonly catalogue: PriceCatalogue;
  readonly book: PriceBook;
  /** The catalogue file that comes first. */
  readonly inUse: CatalogueFile;
  /** By name: those configured and, so that prices can be looked up before, those known. */
  readonly providers: Readonly<Record<string, PricedProvider>>;
}

/** Throws `invalid_argument` for a taken catalogue that cannot be used. */
export function openPrices(invocation: Invocation<unknown>): PriceView {
  const { config } = loadSettings(invocation);
  const refreshed = readRefreshedCatalogue(config.storage.dataDir);
  const catalogue = loadPriceCatalogue(refreshed);
  const providers: Record<string, PricedProvider> = {};
  for (const spec of providerSpecs) providers[spec.id] = spec;
  for (const [name, { kind }] of Object.entries(config.providers)) {
    providers[name] = findProviderSpec(kind) ?? { priceList: null, billing: "metered" };
  }
  return {
    config,
    catalogue,
    book: createPriceBook({ catalogue, prices: config.prices, providers }),
    inUse: firstOf(refreshed),
    providers,
  };
}

/** The catalogue file that prices are taken from. */
export function firstOf(refreshed: CatalogueFile | null): CatalogueFile {
  const pinned = pinnedCatalogueFile();
  return refreshed !== null && isInUse(refreshed, pinned) ? refreshed : pinned;
}

/** `provider/model` as its two parts; `null` for a name without a provider. */
export function splitTarget(target: string): readonly [provider: string, model: string] | null {
  const slash = target.indexOf("/");
  return slash < 1 ? null : [target.slice(0, slash), target.slice(slash + 1)];
}
