/** What a started gateway says: everything a newcomer needs, ready to paste, and nothing else. */
export interface Welcome {
  /** `http://127.0.0.1:4000` */
  readonly url: string;
  readonly dataDir: string;
  readonly version: string;
  /** The first key, where this start made it. */
  readonly apiKey: string | null;
  readonly model: string | null;
  /** Whether the built-in simulator stands in for providers. */
  readonly simulated: boolean;
  /** Names of the providers. */
  readonly providers: readonly string[];
}

export function describeWelcome(welcome: Welcome): Readonly<Record<string, unknown>> {
  const { url, dataDir, version, apiKey, model, simulated } = welcome;
  return { url, baseUrl: `${url}/v1`, apiKey, model, simulated, dataDir, version };
}

export function renderWelcome(welcome: Welcome): string {
  const { url, version, apiKey, model, dataDir } = welcome;
  const key =
    apiKey === null
      ? "  API key    shown when it was made; another: headgate key create --name NAME\n"
      : `  API key    ${apiKey}\n             Shown this once. It belongs to tenant, project and key "default".\n`;
  return `
headgate ${version} is ready.

  Base URL   ${url}/v1
             For Anthropic's SDKs without the /v1.
${key}  Answers    ${answering(welcome)}
  Records    ${dataDir}

${model === null ? noModel : example(url, apiKey, model)}
`;
}

const noModel = "Name the models of your provider under providers.NAME.models, or ask for any as provider/model.";

function answering({ simulated, providers }: Welcome): string {
  if (!simulated) return providers.join(", ");
  return (
    "the built-in SIMULATOR: no provider is configured, so no real model answers.\n" +
    "             Set OPENAI_API_KEY, ANTHROPIC_API_KEY or another, or run `headgate init`."
  );
}

function example(url: string, apiKey: string | null, model: string): string {
  const body = { model, stream: true, messages: [{ role: "user", content: "Say hello in five words." }] };
  const bearer = apiKey ?? "$HEADGATE_KEY";
  return (
    `Try it${apiKey === null ? " (with your key in HEADGATE_KEY)" : ""}:\n` +
    `  curl -N ${url}/v1/chat/completions -H "authorization: Bearer ${bearer}" -H "content-type: application/json" -d '${JSON.stringify(body)}'`
  );
}
