/**
 * What a provider may do by itself within one call: search, run tools, read what they bring in, and ask the model again.
 *
 * A provider that runs tools samples in a loop. Anthropic documents ten turns by default, after which it pauses
 * (https://platform.claude.com/docs/en/api/handling-stop-reasons); nobody else states a number, so ten are assumed of all.
 * Searches are asked for by a tool, by a field, or by the model's name:
 *
 *   web_search_options          OpenAI, Perplexity
 *   search_parameters           xAI, which bills each source that is used: at the most `max_search_results`, 20 by default
 *                               (https://docs.x.ai/docs/guides/live-search)
 *   plugins: `web`, `fusion`    OpenRouter, which bills searches or their results; also the variant `:online` of a model
 *                               (https://openrouter.ai/docs/guides/features/plugins/web-search)
 *
 * A compaction and an advisor are further models' turns, whose answers the caller's bound does not limit.
 */
import type { JsonDocument } from "../../kernel/json-document.ts";

export interface ProviderWork {
  /** Calls of its searches and tools, of each kind. */
  readonly ownCalls: number;
  /** How often a model may read a full context window. */
  readonly turns: number;
  /** Answers that are not the caller's. */
  readonly summaries: number;
}

const TURNS_MAX = 10;
/** Where the request states no number: what deep research is documented and seen to make. */
const CALLS_MAX = 32;
/** Above what any provider does. */
const STATED_CALLS_MAX = 1000;

const none: ProviderWork = { ownCalls: 0, turns: 1, summaries: 0 };

export function providerWork({ root }: JsonDocument, model: string): ProviderWork {
  const { tools } = root;
  const ownTools =
    Array.isArray(tools) && tools.some(isRunByProvider) ? (tools as readonly Tool[]).filter(isRunByProvider) : noTools;
  const searches = searchesOf(root) + (searchingModel.test(model) ? CALLS_MAX : 0);
  const loops = ownTools.length > 0 || searches > 0;
  const asksOthers = compacts(root) || ownTools.some(({ type }) => String(type).startsWith("advisor"));
  if (!loops && !asksOthers) return none;
  const turns = loops ? TURNS_MAX : 1;
  return {
    ownCalls: loops ? Math.max(callsOf(ownTools), Math.min(searches, STATED_CALLS_MAX)) : 0,
    turns: asksOthers ? turns * 2 : turns,
    summaries: asksOthers ? 1 : 0,
  };
}

type Fields = JsonDocument["root"];

interface Tool {
  readonly type?: unknown;
  readonly max_uses?: unknown;
}

const noTools: readonly Tool[] = [];

/**
 * Models that search without being asked to have it in their names: `gpt-4o-search-preview`, `sonar`, `o3-deep-research`,
 * `openai/gpt-5:online`.
 */
const searchingModel = /search|sonar|:online/;

/** How many calls the fields that turn searches on, or servers of tools, stand for; 0: none does. */
function searchesOf(root: Fields): number {
  const { web_search_options: options, mcp_servers: servers, search_parameters: live, plugins, models } = root;
  const isOn =
    isSaid(options) ||
    (Array.isArray(servers) && servers.length > 0) ||
    (Array.isArray(plugins) && (plugins as readonly unknown[]).some(isSearching)) ||
    (Array.isArray(models) && (models as readonly unknown[]).some((name) => searchingModel.test(String(name))));
  return (isOn ? CALLS_MAX : 0) + (isSaid(live) ? liveSourcesOf(live) : 0);
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Of OpenRouter's: `web`, `web-fetch`, `fusion`, and any whose name is new. */
function isSearching(plugin: unknown): boolean {
  const { id, enabled } = (plugin ?? {}) as { readonly id?: unknown; readonly enabled?: unknown };
  return enabled !== false && !quietPlugins.has(id);
}

/** They work on what is there: the request's files, its length, the answer's JSON, or the choice of a model. */
const quietPlugins: ReadonlySet<unknown> = new Set([
  "file-parser",
  "context-compression",
  "response-healing",
  "moderation",
  "auto-router",
  "auto-beta-router",
  "pareto-router",
]);

/** xAI's, in sources. */
function liveSourcesOf(live: unknown): number {
  const { mode, max_search_results: most } = live as { readonly mode?: unknown; readonly max_search_results?: unknown };
  if (mode === "off") return 0;
  return typeof most === "number" && most > 0 ? Math.ceil(most) : CALLS_MAX;
}

/** Anthropic's tools that the caller runs: `bash_20250124`, `browser_toolset_20260801`; any other may be run by itself. */
const runByCaller = /^(?:bash|computer|memory|text_editor|(?:browser|computer)_toolset)_\d+$/;

/** The Messages API has tools of the caller's without a type. */
function isRunByProvider(tool: Tool | null): boolean {
  const type = tool?.type;
  if (type === undefined || type === null || type === "function" || type === "custom") return false;
  return typeof type !== "string" || !runByCaller.test(type);
}

/** `context_management: { edits: [{ type: "compact_20260112" }] }`. */
function compacts({ context_management: management }: Fields): boolean {
  const edits = (management as { readonly edits?: unknown } | null | undefined)?.edits;
  return (
    Array.isArray(edits) &&
    (edits as readonly ({ readonly type?: unknown } | null)[]).some((edit) => String(edit?.type).startsWith("compact"))
  );
}

/** What the request states, if it does so for every tool; 0 without a tool. */
function callsOf(ownTools: readonly Tool[]): number {
  let stated = 0;
  for (const { max_uses: most } of ownTools) {
    if (typeof most !== "number" || !(most >= 0)) return CALLS_MAX;
    stated += most;
  }
  return Math.min(Math.ceil(stated), STATED_CALLS_MAX);
}
