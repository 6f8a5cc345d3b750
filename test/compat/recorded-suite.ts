import { after, before } from "node:test";
import { defaultProvider, withProvider } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import { startRecordingUpstream, type RecordingUpstream } from "./recording-upstream.ts";
import { openSuite, type Suite } from "./suite.ts";

export interface RecordedSuite extends Suite {
  readonly upstream: RecordingUpstream;
}

export const RECORDER_KEY = "sk-recorder";

/** Like `openSuite`, with a recording upstream behind the providers `recorder` and `recorder-anthropic`. */
export function openRecordedSuite(): RecordedSuite {
  const suite = openSuite();
  let upstream: RecordingUpstream | null = null;
  before(async () => {
    upstream = await startRecordingUpstream();
    const credentials = [{ name: "test", key: createSecret(RECORDER_KEY, "test") }];
    const { gateway } = suite.gateway;
    for (const [name, kind] of [
      ["recorder", "openai-compatible"],
      ["recorder-anthropic", "anthropic-compatible"],
    ] as const) {
      const provider = defaultProvider(kind, { baseUrl: `${upstream.url}/v1`, credentials });
      gateway.replaceConfig(withProvider(gateway.config, name, provider));
    }
  });
  after(() => upstream?.[Symbol.asyncDispose]());
  return {
    get gateway() {
      return suite.gateway;
    },
    get client() {
      return suite.client;
    },
    get upstream() {
      if (upstream === null) throw new Error("the upstream is started before the tests, not while they are declared");
      return upstream;
    },
  };
}
