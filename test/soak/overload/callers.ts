/** Callers of a gateway that ask one after the other, and what each of their requests came to. */
import { Agent, request, type IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

export interface Load {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly callers: number;
  /** Between an answer and the next request of a caller, in milliseconds. */
  readonly pauseMs: number;
  readonly forMs: number;
}

export interface Served {
  readonly status: number;
  /** The code of an error; `null`: there is none. */
  readonly code: string | null;
  readonly saysWhenToTryAgain: boolean;
  readonly tookMs: number;
}

/** Resolves when each caller has the answer to its last request. */
export async function callAll(load: Load): Promise<readonly Served[]> {
  const agent = new Agent({ keepAlive: true });
  const served: Served[] = [];
  const untilMs = performance.now() + load.forMs;
  const caller = async (_: unknown, index: number): Promise<void> => {
    // They do not begin together.
    await pause((index * load.pauseMs) / load.callers);
    while (performance.now() < untilMs) {
      served.push(await askOnce(load, agent));
      await pause(load.pauseMs);
    }
  };
  await Promise.all(Array.from({ length: load.callers }, caller));
  agent.destroy();
  return served;
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

/** Asks whether the gateway is alive, again and again; of each answer how long it took. Throws where it is not 200. */
export async function watchHealth(url: string, everyMs: number, forMs: number): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true });
  const tookMs: number[] = [];
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs) {
    const beganMs = performance.now();
    const { statusCode } = await send(`${url}/healthz`, agent, {}, null);
    if (statusCode !== 200) throw new Error(`/healthz answered ${statusCode}.`);
    tookMs.push(performance.now() - beganMs);
    await pause(everyMs);
  }
  agent.destroy();
  return tookMs;
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
