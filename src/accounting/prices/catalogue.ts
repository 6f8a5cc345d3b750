/**
 * The price catalogue: which rates apply to a model name in a vendor's price list. Its data is generated (see
 * scripts/catalogue) from a maintained package and pinned with the release; an operator may take a newer one
 * (refreshed.ts); the simulator's list is our own. A list is compiled when it is first asked, so that starting up costs
 * no more than parsing the file. It knows figures and names; what a call costs is rates.ts, which list a configured
 * provider uses is price-book.ts.
 */
import data from "../price-catalogue.json" with { type: "json" };
import type { CatalogueFile } from "./catalogue-file.ts";
import { compileMatchRule, withDashedDate, type MatchRule, type ModelMatcher } from "./model-match.ts";
import { simulatorList } from "./simulator-list.ts";

/** Dollars as decimal text; a tiered rate is followed by `[more input tokens than, dollars]` in rising order. */
export type CatalogueRate = string | readonly [string, ...(readonly [number, string])[]];

/** Dollars per million tokens; `tool` and `search` per call, `request` per request. */
export interface CatalogueRates {
  readonly input?: CatalogueRate;
  readonly cacheRead?: CatalogueRate;
  readonly cacheWrite5m?: CatalogueRate;
  readonly cacheWrite1h?: CatalogueRate;
  readonly output?: CatalogueRate;
  readonly reasoning?: CatalogueRate;
  readonly audioInput?: CatalogueRate;
  readonly audioOutput?: CatalogueRate;
  readonly imageInput?: CatalogueRate;
  readonly imageOutput?: CatalogueRate;
  readonly tool?: CatalogueRate;
  readonly search?: CatalogueRate;
  readonly request?: CatalogueRate;
}

/** Rates with the time they hold; of those that hold, the last one in the list applies. */
export interface CatalogueVariant {
  /** First day (UTC), `2026-08-17`. */
  readonly from?: string;
  /** From and until (exclusive) a time of each day, `01:00:00Z`; may cross midnight. */
  readonly daily?: readonly [string, string];
  readonly rates: CatalogueRates;
}

export interface CatalogueModel {
  readonly id: string;
  readonly match: MatchRule;
  /** Context window in tokens, where known. */
  readonly context?: number;
  readonly prices: readonly CatalogueVariant[];
}

export interface CatalogueList {
  /** Names of lists that are asked when this one has no price: a host that resells other vendors' models. */
  readonly fallback: readonly string[];
  /** The first model that matches is taken. */
  readonly models: readonly CatalogueModel[];
  /** Models that the source of the prices knows and has no usable price for. */
  readonly unpriced: readonly string[];
}

export interface CatalogueHit {
  /** Where the figures come from: release of the source, list and model, e.g. `genai-prices-0.1.8/openai/gpt-5-mini`. */
  readonly source: string;
  readonly model: CatalogueModel;
}

export interface PriceCatalogue {
  /** The entry of a model name in a list; `null` if none fits. Not cached: callers keep what they ask often. */
  find(list: string, model: string): CatalogueHit | null;
  /** The entry that a source names; `null` if it is of a release that is not at hand. */
  findSource(source: string): CatalogueHit | null;
  /** Ids of the models in a list; empty for an unknown list. */
  models(list: string): readonly string[];
  /** Ids of the models that the source of the list knows without a usable price. */
  unpriced(list: string): readonly string[];
}

/** The catalogue pinned with this release, as a file. */
export function pinnedCatalogueFile(): CatalogueFile {
  return data as unknown as CatalogueFile;
}

/**
 * The pinned catalogue, after one that was taken at the same day or later. An older one still explains the entries that
 * were made by it, and prices nothing.
 */
export function loadPriceCatalogue(refreshed: CatalogueFile | null = null): PriceCatalogue {
  const pinned = pinnedCatalogueFile();
  const files = refreshed === null ? [pinned] : byPreference(refreshed, pinned);
  const simulator = { release: "headgate", lists: new Map([["simulator", simulatorList]]) };
  return createPriceCatalogue([...files.map(toEdition), simulator]);
}

function byPreference(refreshed: CatalogueFile, pinned: CatalogueFile): readonly CatalogueFile[] {
  return isInUse(refreshed, pinned) ? [refreshed, pinned] : [pinned, refreshed];
}

/** Whether a catalogue that was taken comes before the pinned one. */
export function isInUse(refreshed: CatalogueFile, pinned: CatalogueFile): boolean {
  return refreshed.source.date >= pinned.source.date;
}

/** How price versions begin: `genai-prices-0.1.8`. */
export function releaseOf({ source }: CatalogueFile): string {
  return `${source.package.replace(/^.*\//, "")}-${source.version}`;
}

function toEdition(file: CatalogueFile): Edition {
  return { release: releaseOf(file), lists: new Map(Object.entries(file.lists)) };
}

interface Edition {
  readonly release: string;
  readonly lists: ReadonlyMap<string, CatalogueList>;
}

interface CompiledList {
  readonly fallback: readonly string[];
  readonly rows: readonly { readonly matches: ModelMatcher; readonly hit: CatalogueHit }[];
  readonly unpriced: readonly string[];
}

/** Longer than any vendor's; what callers ask for is compared with every row of a list. */
const MODEL_CHARS_MAX = 256;

/** `editions`: in order of preference. */
export function createPriceCatalogue(editions: readonly Edition[]): PriceCatalogue {
  const compiled = new Map<string, CompiledList | null>();

  /** Of the first edition that has it. */
  function listOf(name: string): CompiledList | null {
    const edition = editions.find(({ lists }) => lists.has(name));
    return edition === undefined ? null : listIn(edition, name);
  }

  function listIn({ release, lists }: Edition, name: string): CompiledList | null {
    const source = `${release}/${name}`;
    const known = compiled.get(source);
    if (known !== undefined) return known;
    const list = lists.get(name);
    const fresh = list === undefined ? null : compileList(source, list);
    compiled.set(source, fresh);
    return fresh;
  }

  function findIn(name: string, model: string): CatalogueHit | null {
    const list = listOf(name);
    if (list === null) return null;
    const row = list.rows.find(({ matches }) => matches(model));
    if (row) return row.hit;
    for (const other of list.fallback) {
      const hit = findIn(other, model);
      if (hit) return hit;
    }
    return null;
  }

  return {
    find(list, model) {
      if (model.length > MODEL_CHARS_MAX) return null;
      const name = model.trim().toLowerCase();
      const hit = findIn(list, name);
      if (hit) return hit;
      const dashed = withDashedDate(name);
      return dashed === null ? null : findIn(list, dashed);
    },
    findSource(source) {
      const [release = "", list = ""] = source.split("/", 2);
      const edition = editions.find((each) => each.release === release);
      const compiledList = edition === undefined ? null : listIn(edition, list);
      return compiledList?.rows.find(({ hit }) => hit.source === source)?.hit ?? null;
    },
    models: (list) => [...new Set(listOf(list)?.rows.map(({ hit }) => hit.model.id))],
    unpriced: (list) => listOf(list)?.unpriced ?? [],
  };
}

function compileList(source: string, list: CatalogueList): CompiledList {
  return {
    fallback: list.fallback,
    unpriced: list.unpriced,
    rows: list.models.map((model) => ({
      matches: compileMatchRule(model.match),
      hit: { source: `${source}/${model.id}`, model },
    })),
  };
}
