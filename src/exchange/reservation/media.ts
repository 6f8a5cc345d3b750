/** Parts of messages that count otherwise than by their bytes, in the shapes that the chat dialects have. */
import type { JsonDocument } from "../../kernel/json-document.ts";

export interface Media {
  readonly images: number;
  /** Whatever may stand for more tokens than it has bytes: documents, inline ones too, videos, and what is unknown. */
  readonly documents: number;
}

const noMedia: Media = { images: 0, documents: 0 };

/** Parts that have a byte for each of their tokens at least: text, sound, a model's own words, what tools wrote. */
const inlineParts: ReadonlySet<unknown> = new Set([
  "text",
  "refusal",
  "input_audio",
  "thinking",
  "redacted_thinking",
  "tool_use",
  "server_tool_use",
  "mcp_tool_use",
  "search_result",
  "web_search_tool_result",
  "code_execution_tool_result",
  "bash_code_execution_tool_result",
  "text_editor_code_execution_tool_result",
  "tool_search_tool_result",
  "mcp_tool_result",
  "advisor_tool_result",
  "tool_reference",
  "tool_addition",
  "tool_removal",
  "mcp_tool_listing",
  "browser_state",
  "container_upload",
  "compaction",
  "fallback",
]);

interface WithContent {
  readonly type?: unknown;
  readonly content?: unknown;
  readonly source?: unknown;
  /** OpenAI: sound of an earlier answer, by its id. */
  readonly audio?: unknown;
}

type Counts = { -readonly [Name in keyof Media]: Media[Name] };

export function countMedia({ root: { messages } }: JsonDocument): Media {
  if (!Array.isArray(messages)) return noMedia;
  let counts: Counts | null = null;
  for (const message of messages as readonly (WithContent | null)[]) {
    const content = message?.content;
    if (Array.isArray(content)) countParts(content, (counts ??= { images: 0, documents: 0 }));
    if (typeof message?.audio === "object" && message.audio !== null) {
      (counts ??= { images: 0, documents: 0 }).documents++;
    }
  }
  return counts ?? noMedia;
}

/** What a tool gave back may hold media, too, and so may a document that is made of parts. */
function countParts(content: unknown, counts: Counts): void {
  for (const part of Array.isArray(content) ? (content as readonly (WithContent | null)[]) : []) {
    const type = part?.type;
    if (type === "text" || inlineParts.has(type)) continue;
    if (type === "image_url" || type === "image") counts.images++;
    else if (type === "tool_result") countParts(part?.content, counts);
    else if (type === "document") countDocument(part?.source as WithContent | null | undefined, counts);
    else counts.documents++;
  }
}

function countDocument(source: WithContent | null | undefined, counts: Counts): void {
  if (source?.type === "content") countParts(source.content, counts);
  else if (source?.type !== "text") counts.documents++;
}
