/**
 * Two processes on one store, restarted one after the other under load, and callers who keep connections open and try
 * again when a connection fails before an answer began, as every HTTP client does: none of them sees a failure.
 */
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { createPlace, type OverspendPlace } from "../overspend/place.ts";
import { startGatewayProcess, startSimulatorProcess, type Child } from "../soak/children.ts";

const WORKERS = 12;

interface Caller {
  readonly key: string;
  readonly urls: readonly string[];
  readonly agent: Agent;
}

/** Status and text; rejects with the connection's error, where `began` says whether an answer had begun. */
function ask({ key, agent }: Caller, url: string, stream: boolean): Promise<{ status: number; text: string }> {
  const body = JSON.stringify({
    model: "sim/sim-chat:tokens=30,rate=600,input=5",
    stream,
    max_tokens: 100,
    messages: [{ role: "user", content: "Hi" }],
  });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const sent = request(`${url}/v1/chat/completions`, { method: "POST", agent, headers }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    response.on("error", (error) => resolve({ status: 0, text: `${text} broke: ${error.message}` }));
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

async function askUntilAnswered(caller: Caller, turn: number, retried: () => void): Promise<string | null> {
  const stream = turn % 2 === 0;
  for (let attempt = 0; attempt < 50; attempt++) {
    const url = caller.urls[(turn + attempt) % caller.urls.length] ?? "";
    try {
      const { status, text } = await ask(caller, url, stream);
      const whole = stream ? text.endsWith("data: [DONE]\n\n") : text.includes('"finish_reason":"stop"');
      return status === 200 && whole ? null : `${status} ${text.slice(-300)}`;
    } catch {
      retried();
    }
  }
  return "no process could be reached";
}

async function startFleet(place: OverspendPlace): Promise<Child[]> {
  return [await startGatewayProcess(place.processPlace(0), 0), await startGatewayProcess(place.processPlace(1), 0)];
}

test("a rolling restart of two processes fails no request of callers who reconnect", async () => {
  await using simulator = await startSimulatorProcess(1);
  const limitNanoUsd = 1_000_000_000_000_000n;
  using place = await createPlace({ simulatorUrl: simulator.url, postgresUrl: null, limitNanoUsd, policy: "strict" });
  const fleet = await startFleet(place);
  const urls = fleet.map(({ url }) => url);
  const agent = new Agent({ keepAlive: true });
  const failures: string[] = [];
  let answered = 0;
  let retried = 0;
  let over = false;
  async function work(worker: number): Promise<void> {
    for (let turn = worker; !over; turn++) {
      const failure = await askUntilAnswered({ key: place.key, urls, agent }, turn, () => retried++);
      if (failure === null) answered++;
      else failures.push(failure);
    }
  }
  const workers = Array.from({ length: WORKERS }, (_, worker) => work(worker));
  try {
    for (const [index, url] of urls.entries()) {
      assert.equal(await fleet[index]?.end("SIGTERM"), 0, "it ends in good order");
      fleet[index] = await startGatewayProcess(place.processPlace(index), Number(new URL(url).port));
    }
  } finally {
    over = true;
    await Promise.all(workers);
    agent.destroy();
    await Promise.all(fleet.map((child) => child[Symbol.asyncDispose]()));
  }
  assert.deepEqual(failures, []);
  assert.ok(answered > WORKERS, `${answered} answers`);
  assert.ok(retried > 0, "some callers met a process that was gone");
});
