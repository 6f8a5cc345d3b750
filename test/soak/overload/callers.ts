/** Requests at a pace that does not depend on their answers, and what each of them came to. */
import { Agent, request, type IncomingMessage } from "node:http";
import { sendAtPace } from "../steady/pace.ts";

export interface Load {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly perSecond: number;
  readonly forMs: number;
}

const TICK_MS = 5;
const ENDS_WITHIN_MS = 30_000;

export interface Served {
  readonly status: number;
  /** The code of an error; `null`: there is none. */
  readonly code: string | null;
  readonly saysWhenToTryAgain: boolean;
  readonly tookMs: number;
}

/** Resolves when the last one has its answer. */
export async function callAll(load: Load): Promise<readonly Served[]> {
  const served: Served[] = [];
  await ask(load, async (agent) => void served.push(await askOnce(load, agent)));
  return served;
}

/** Asks whether the gateway is alive; of each answer how long it took. Rejects where one is not 200. */
export async function watchHealth(load: Pick<Load, "url" | "perSecond" | "forMs">): Promise<readonly number[]> {
  const tookMs: number[] = [];
  await ask(load, async (agent) => {
    const beganMs = performance.now();
    const { statusCode } = await send(`${load.url}/healthz`, agent, {}, null);
    if (statusCode !== 200) throw new Error(`/healthz answered ${statusCode}.`);
    tookMs.push(performance.now() - beganMs);
  });
  return tookMs;
}

async function ask(
  { perSecond, forMs }: Pick<Load, "perSecond" | "forMs">,
  once: (agent: Agent) => Promise<void>,
): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const pace = { perSecond, forMs, underWayMax: perSecond, tickMs: TICK_MS, endsWithinMs: ENDS_WITHIN_MS };
  await sendAtPace(
    pace,
    () => once(agent),
    () => undefined,
  ).finally(() => agent.destroy());
}

async function askOnce({ url, key, model }: Load, agent: Agent): Promise<Served> {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }] });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const beganMs = performance.now();
  const response = await send(`${url}/v1/chat/completions`, agent, headers, body);
  const code = response.headers["x-headgate-error-code"];
  return {
    status: response.statusCode ?? 0,
    code: typeof code === "string" ? code : null,
    saysWhenToTryAgain: response.headers["retry-after"] !== undefined,
    tookMs: performance.now() - beganMs,
  };
}

/** Resolves when the answer has come whole. */
function send(
  url: string,
  agent: Agent,
  headers: Record<string, string>,
  body: string | null,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method: body === null ? "GET" : "POST", headers }, (response) => {
      response.on("error", reject);
      response.on("end", () => resolve(response));
      response.resume();
    });
    sent.on("error", reject);
    sent.end(body ?? undefined);
  });
}
