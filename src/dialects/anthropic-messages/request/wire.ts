/** The request as the Messages API takes it: `MessageCreateParams` in anthropic-sdk-typescript, resources/messages/messages.ts. */
export interface CacheControl {
  readonly type: "ephemeral";
  /** Absent: five minutes. */
  readonly ttl?: "1h";
}

interface Cacheable {
  readonly cache_control?: CacheControl;
}

export interface TextBlock extends Cacheable {
  readonly type: "text";
  readonly text: string;
}

export interface ImageBlock extends Cacheable {
  readonly type: "image";
  readonly source: Base64Source | UrlSource | FileSource;
}

export interface DocumentBlock extends Cacheable {
  readonly type: "document";
  readonly source:
    | Base64Source
    | UrlSource
    | FileSource
    | { readonly type: "text"; readonly media_type: "text/plain"; readonly data: string };
  readonly title?: string;
}

interface Base64Source {
  readonly type: "base64";
  readonly media_type: string;
  readonly data: string;
}

interface UrlSource {
  readonly type: "url";
  readonly url: string;
}

export interface FileSource {
  readonly type: "file";
  readonly file_id: string;
}

export type ContentBlock = TextBlock | ImageBlock | DocumentBlock;

export type Block =
  | ContentBlock
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown }
  | {
      readonly type: "tool_result";
      readonly tool_use_id: string;
      readonly content?: readonly ContentBlock[];
      readonly is_error?: true;
    };

export interface Turn {
  readonly role: "user" | "assistant" | "system";
  readonly content: readonly Block[];
}

export interface WireTool {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: Readonly<Record<string, unknown>>;
  readonly strict?: true;
}

export type WireToolChoice =
  | { readonly type: "auto" | "any"; readonly disable_parallel_tool_use?: true }
  | { readonly type: "tool"; readonly name: string; readonly disable_parallel_tool_use?: true }
  | { readonly type: "none" };

export type Thinking =
  | { readonly type: "adaptive" | "disabled" }
  | { readonly type: "enabled"; readonly budget_tokens: number };
