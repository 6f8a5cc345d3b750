/** The same suite before Anthropic's official SDK: its client for the gateway, and the upstreams as it sees them. */
import Anthropic from "@anthropic-ai/sdk";
import { openSuite, type Suite } from "../suite.ts";
import { upstreams as chatUpstreams, type Upstream } from "../upstreams.ts";
import type { TestGatewayOptions } from "../../support/gateway.ts";

export interface MessagesSuite extends Suite {
  /** Does not retry by itself. */
  readonly anthropic: Anthropic;
}

/** Like `openSuite`. */
export function openMessagesSuite(options: TestGatewayOptions = {}): MessagesSuite {
  const suite = openSuite(options);
  let anthropic: Anthropic | null = null;
  return {
    get gateway() {
      return suite.gateway;
    },
    get client() {
      return suite.client;
    },
    get anthropic() {
      const { url, key } = suite.gateway;
      anthropic ??= new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, timeout: 10_000 });
      return anthropic;
    },
  };
}

/** Here bytes pass through to the Anthropic-dialect upstream, and the other one is translated to. */
export const upstreams: readonly Upstream[] = chatUpstreams.map((upstream) => ({
  ...upstream,
  native: !upstream.native,
}));

export function textOf({ content }: Anthropic.Message): string {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}
