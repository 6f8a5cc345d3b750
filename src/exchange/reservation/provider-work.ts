/**
 * What a provider may do by itself within one call: search, run tools, read what they bring in, and ask the model again.
 *
 * A provider that runs tools samples in a loop. Anthropic documents ten turns by default, after which it pauses
 * (https://platform.claude.com/docs/en/api/handling-stop-reasons); nobody else states a number, so ten are assumed of all.
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
  const loops = ownTools.length > 0 || searches(root) || searchingModel.test(model);
  const asksOthers = compacts(root) || ownTools.some(({ type }) => String(type).startsWith("advisor"));
  if (!loops && !asksOthers) return none;
  const turns = loops ? TURNS_MAX : 1;
  return {
    ownCalls: loops ? callsOf(ownTools) : 0,
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

/** Models that search without being asked to have it in their names: `gpt-4o-search-preview`, `sonar`, `o3-deep-research`. */
const searchingModel = /search|sonar/;

function searches({ web_search_options: search, mcp_servers: servers }: Fields): boolean {
  return (search !== undefined && search !== null) || (Array.isArray(servers) && servers.length > 0);
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

/** What the request states, if it does so for every tool. */
function callsOf(ownTools: readonly Tool[]): number {
  let stated = 0;
  for (const { max_uses: most } of ownTools) {
    if (typeof most !== "number" || !(most >= 0)) return CALLS_MAX;
    stated += most;
  }
  return ownTools.length === 0 ? CALLS_MAX : Math.min(Math.ceil(stated), STATED_CALLS_MAX);
}
