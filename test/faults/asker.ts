/** Callers of a gateway: each request is of a target and by a `user-agent` of its own, by which it is found again. */
import type { RawResponse } from "../support/raw-http.ts";
import { send, type Reply, type SendOptions } from "../support/simulator-client.ts";
import type { Asked } from "./books.ts";
import { speeches, type Caller } from "./speech.ts";
import type { Upstream } from "./table.ts";

export const models: Readonly<Record<Upstream, string>> = {
  "openai-chat": "simulator/sim-chat",
  "anthropic-messages": "simulator-anthropic/sim-claude",
};

/** The names of the providers in `models`, which are kinds of providers, too. */
export function kindOf(upstream: Upstream): string {
  return upstream === "openai-chat" ? "simulator" : "simulator-anthropic";
}

export interface Ask extends SendOptions {
  /** Default OpenAI's, as of `upstream`. */
  readonly caller?: Caller;
  readonly upstream?: Upstream;
  /** Instead of the upstream's provider, under which it serves the same models. */
  readonly provider?: string;
  readonly script?: string;
  readonly stream?: boolean;
  /** The bound on output; default 100,000. */
  readonly maxTokens?: number;
}

export class Asker {
  readonly #url: string;
  readonly #key: string;
  #asked = 0;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /** For 20 tokens, unless the script says otherwise. The reply resolves however it ends. */
  ask(ask: Ask): Asked {
    const { upstream = "openai-chat", provider = kindOf(upstream), script = "" } = ask;
    const agent = this.nextAgent();
    const served = models[upstream].slice(models[upstream].indexOf("/"));
    const model = `${provider}${served}:tokens=20,input=7,${script},tag=${agent}`;
    return { model, agent, reply: this.#send(model, agent, ask) };
  }

  /** The same request again, by somebody who is not looked for. */
  repeat({ model }: Asked, ask: Ask): Promise<Reply> {
    return this.#send(model, this.nextAgent(), ask);
  }

  #send(model: string, agent: string, ask: Ask): Promise<Reply> {
    const { caller = "openai-chat", stream = false, maxTokens = 100_000 } = ask;
    const body = { model, stream, max_tokens: maxTokens, messages: [{ role: "user", content: "Hi" }] };
    const headers = { authorization: `Bearer ${this.#key}`, "user-agent": agent, ...ask.headers };
    return send(`${this.#url}${speeches[caller].path}`, { body, ...ask, headers });
  }

  nextAgent(): string {
    return `asker-${++this.#asked}`;
  }

  /** The head, its last line open, of a request whose body will have this many bytes. */
  headOf(caller: Caller, agent: string, length: number): string {
    const head = `POST ${speeches[caller].path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${this.#key}\r\n`;
    return `${head}user-agent: ${agent}\r\ncontent-length: ${length}\r\n`;
  }
}

/** `null`: the connection closed without a response. */
export function replyOf(response: RawResponse | null): Reply {
  const text = response?.body.toString("utf8") ?? "";
  const { status = 0, headers = {}, complete = false } = response ?? {};
  return { status, headers, chunks: [], text, complete, errorCode: null };
}
