/** `headgate serve` through the command line in this process, and what a caller does with it. */
import { createTestCli, type RunningCli, type TestCli, type TestCliOptions } from "./cli.ts";

/** What `serve --json` prints when it is ready. */
export interface Ready {
  readonly url: string;
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly model: string | null;
  readonly simulated: boolean;
}

/** Serves on a free port. Throws with what it said if it ends before it is ready. */
export async function startReady(
  cli: TestCli,
  ...args: string[]
): Promise<{ readonly running: RunningCli; readonly ready: Ready }> {
  const running = cli.start("serve", "--port", "0", "--json", ...args);
  const text = await running.ready;
  if (text === "") throw new Error((await running.result).stderr);
  if (text.trimEnd().includes("\n")) throw new Error(`More than one line: ${text}`);
  return { running, ready: JSON.parse(text) as Ready };
}

/** A command line that logs nothing, with this environment besides. */
export function createQuietCli(options: TestCliOptions = {}): TestCli {
  return createTestCli({ ...options, env: { HEADGATE_LOG_LEVEL: "silent", ...options.env } });
}

export function post(url: string, key: string | null, body: object): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", connection: "close" },
    body: JSON.stringify(body),
  });
}

/** Names of the models that a gateway lists. */
export async function listModels({ baseUrl, apiKey }: Ready): Promise<readonly string[]> {
  const headers = { authorization: `Bearer ${apiKey}`, connection: "close" };
  const { data } = (await (await fetch(`${baseUrl}/models`, { headers })).json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}
