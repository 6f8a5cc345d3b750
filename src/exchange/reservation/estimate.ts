/**
 * What an attempt may use and cost, before it is made.
 *
 * `worst`: all the input there can be and all the output that is allowed. `first`: the same input and one slice of
 * output, which a stream outgrows slice by slice (growth.ts). An answer that comes in one piece cannot be stopped on
 * its way, so its first holding is the worst case.
 */
import { worstUsage } from "../../accounting/estimate.ts";
import type { Price } from "../../accounting/price-book.ts";
import type { Operation, RequestView } from "../../dialects/dialect.ts";
import { zeroUsd, type NanoUsd } from "../../kernel/money.ts";
import { totalInputTokens, totalOutputTokens, type Usage } from "../../kernel/usage.ts";
import type { Demand, Estimate } from "../../limits/limits.ts";
import type { ChosenTarget } from "../attempt/choose.ts";

/** What is held, or would be: usage and the most that it costs. */
export interface Holding {
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
}

export interface AttemptEstimate {
  readonly first: Holding;
  readonly worst: Holding;
}

/** `outputBound`: the most output tokens of one answer, where the gateway lowers what the caller allowed. */
export function estimateAttempt(
  chosen: ChosenTarget,
  view: RequestView,
  operation: Operation,
  sliceTokens: number,
  outputBound: number | null,
): AttemptEstimate {
  const usage = worstUsage({
    inputBytes: view.document.bytes.byteLength,
    maxOutputTokens: outputBound ?? view.maxOutputTokens ?? chosen.target.facts.maxOutputTokens,
    choices: view.choices,
    operation,
    ...countMedia(view),
    ownTools: usesOwnTools(view, chosen),
  });
  const worst = holdingOf(usage, chosen.price);
  if (!view.stream || usage.outputTokens <= sliceTokens) return { first: worst, worst };
  return { first: holdingOf({ ...usage, outputTokens: sliceTokens }, chosen.price), worst };
}

interface Media {
  readonly images: number;
  readonly documents: number;
}

const noMedia: Media = { images: 0, documents: 0 };

/** Parts of messages that are not text, in the shape that the chat dialects share. */
function countMedia({ needs, document }: RequestView): Media {
  if (!needs.images && !needs.audio && !needs.documents) return noMedia;
  const media = { images: 0, documents: 0 };
  const { messages } = document.root;
  for (const message of Array.isArray(messages) ? (messages as readonly unknown[]) : []) {
    countParts((message as WithContent | null)?.content, media);
  }
  return media;
}

interface WithContent {
  readonly type?: unknown;
  readonly content?: unknown;
}

/** Parts whose bytes are their text, or a model's own words. */
const wordy: ReadonlySet<unknown> = new Set(["text", "refusal", "tool_use", "thinking", "redacted_thinking"]);

/** What a tool gave back may hold media, too. */
function countParts(content: unknown, media: { images: number; documents: number }): void {
  for (const part of Array.isArray(content) ? (content as readonly (WithContent | null)[]) : []) {
    const type = part?.type;
    if (type === "image_url" || type === "image") media.images++;
    else if (type === "tool_result") countParts(part?.content, media);
    else if (!wordy.has(type)) media.documents++;
  }
}

/** Models that search without being asked to have it in their names: `gpt-4o-search-preview`, `sonar`, `o3-deep-research`. */
const searchingModel = /search|sonar/;

function usesOwnTools({ document }: RequestView, { target }: ChosenTarget): boolean {
  const { tools, web_search_options: search, mcp_servers: servers } = document.root;
  if (search !== undefined && search !== null) return true;
  if (Array.isArray(servers) && servers.length > 0) return true;
  if (Array.isArray(tools) && tools.some((tool: unknown) => !isCallersTool(tool))) return true;
  return searchingModel.test(target.facts.model);
}

/** Tools of Anthropic's that the caller runs: `bash_20250124`, `computer_20251124`; any other may be run by itself. */
const runByCaller = /^(?:bash|computer|memory|text_editor)_\d+$/;

/** The Messages API has tools of the caller's without a type. */
function isCallersTool(tool: unknown): boolean {
  const type = (tool as { readonly type?: unknown } | null)?.type;
  if (type === undefined || type === null || type === "function" || type === "custom") return true;
  return typeof type === "string" && runByCaller.test(type);
}

export function holdingOf(usage: Usage, price: Price | null): Holding {
  return { usage, costNanoUsd: price?.worstCost(usage) ?? zeroUsd };
}

export function toEstimate({ first, worst }: AttemptEstimate): Estimate {
  const expected = demandOf(first);
  return { expected, worst: first === worst ? expected : demandOf(worst) };
}

/** What usage and cost take from allowances. */
export function demandOf({ usage, costNanoUsd }: Holding): Demand {
  return { costNanoUsd, tokens: totalInputTokens(usage) + totalOutputTokens(usage) };
}
