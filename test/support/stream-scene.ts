/** A gateway before providers that a test writes by hand, and a caller who reads a stream as it comes. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Config } from "../../src/config/config.ts";
import { defaultProvider, type DeepPartial } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import { startTestGateway, type TestGateway } from "./gateway.ts";
import { startLocalServer } from "./local-server.ts";

export interface UpstreamCall {
  readonly body: Record<string, unknown>;
  readonly response: ServerResponse;
}

export interface HandWrittenProvider {
  /** In the catalogue: `openai-compatible` or `anthropic-compatible`. */
  readonly kind: string;
  /** Called for each request once its body has come. */
  readonly answer: (call: UpstreamCall) => void;
}

export interface StreamScene extends AsyncDisposable {
  readonly gateway: TestGateway;
  /** Bodies of the requests that each provider got. */
  readonly calls: Readonly<Record<string, Record<string, unknown>[]>>;
  ask(request: Record<string, unknown>): Promise<Asked>;
}

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  /** What has come so far; grows with `until` and `end`. */
  readonly text: string;
  /** Reads on until the text says so. Throws where it ends before. */
  until(isThere: (text: string) => boolean): Promise<void>;
  end(): Promise<string>;
}

/** `providers`: by the name that the configuration's `provider/model` uses. */
export async function openStreamScene(
  providers: Readonly<Record<string, HandWrittenProvider>>,
  config: DeepPartial<Config>,
): Promise<StreamScene> {
  await using opened = new AsyncDisposableStack();
  const calls: Record<string, Record<string, unknown>[]> = {};
  const configured: Record<string, Config["providers"][string]> = {};
  for (const [name, { kind, answer }] of Object.entries(providers)) {
    const seen: Record<string, unknown>[] = [];
    calls[name] = seen;
    const server = await startLocalServer((request, response) => {
      void readJson(request).then((body) => {
        seen.push(body);
        answer({ body, response });
      });
    });
    opened.use(server);
    const credentials = [{ name: "test", key: createSecret("sk-test", "test") }];
    configured[name] = defaultProvider(kind, { baseUrl: `${server.url}/v1`, credentials });
  }
  const gateway = opened.use(await startTestGateway({ config: { ...config, providers: configured } }));
  const resources = opened.move();
  return {
    gateway,
    calls,
    ask: (request) => ask(gateway, request),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function ask({ url, key }: TestGateway, request: Record<string, unknown>): Promise<Asked> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "hi" }], stream: true, ...request }),
  });
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  const decoder = new TextDecoder();
  let text = "";
  async function readMore(): Promise<boolean> {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: !done });
    return !done;
  }
  return {
    status: response.status,
    headers: response.headers,
    get text() {
      return text;
    },
    async until(isThere) {
      while (!isThere(text)) if (!(await readMore())) throw new Error(`The response ended before: ${text}`);
    },
    async end() {
      while (await readMore());
      return text;
    },
  };
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  await once(request, "end");
  return JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
}

/** The head of a stream, then these events; the response stays open. */
export function begin({ response }: UpstreamCall, ...events: readonly string[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(events.join(""));
}

/** Breaks the connection once everything that was written is on its way. */
export function breakOff({ response }: UpstreamCall): void {
  response.write("", () => setImmediate(() => response.destroy()));
}

/** A chat completion chunk of OpenAI's dialect. */
export function chatChunk(delta: object, reason: string | null = null, id = "chatcmpl-1"): string {
  const shared = { id, object: "chat.completion.chunk", created: 1_800_000_000, model: "m" };
  return `data: ${JSON.stringify({ ...shared, choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
}

/** What a caller makes of a stream. */
export function textOf(stream: string): string {
  let text = "";
  for (const block of stream.split("\n\n")) {
    if (!block.startsWith("data: {")) continue;
    const chunk = JSON.parse(block.slice(6)) as { choices?: { delta?: { content?: string | null } }[] };
    text += chunk.choices?.[0]?.delta?.content ?? "";
  }
  return text;
}
