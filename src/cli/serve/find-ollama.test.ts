import assert from "node:assert/strict";
import { test } from "node:test";
import { startLocalServer } from "../../../test/support/local-server.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { createSystemClock } from "../../kernel/clock.ts";
import type { Transport } from "../../providers/transport.ts";
import { createUndiciTransport } from "../../providers/undici-transport.ts";
import { findOllama, type FoundOllama, ollamaBaseUrl } from "./find-ollama.ts";

const listed = JSON.stringify({ object: "list", data: [{ id: "llama3.2:latest", object: "model" }, { id: "qwen3" }] });

async function hostWithoutListener(): Promise<string> {
  await using server = await startLocalServer(() => {});
  return server.host;
}

async function search(host: string, clock = createSystemClock()): Promise<FoundOllama | null> {
  await using transport = createUndiciTransport({ connectTimeoutMs: 1000, connectionsMax: 1 });
  return await findOllama({ transport, clock, env: { OLLAMA_HOST: host } });
}

async function searchWhereAnswerIs(status: number, body: string | Buffer): Promise<FoundOllama | null> {
  await using server = await startLocalServer((_, response) => response.writeHead(status).end(body));
  return await search(server.host);
}

test("an Ollama with models is found at OLLAMA_HOST, with their names", async () => {
  const asked: (string | undefined)[] = [];
  await using server = await startLocalServer((request, response) => {
    asked.push(request.url);
    response.end(listed);
  });
  assert.deepEqual(await search(server.host), {
    baseUrl: `http://${server.host}/v1`,
    models: ["llama3.2:latest", "qwen3"],
  });
  assert.deepEqual(asked, ["/v1/models"]);
});

test("behind a path of a proxy it is asked below that path", async () => {
  await using server = await startLocalServer((request, response) => {
    response.writeHead(request.url === "/ollama/v1/models" ? 200 : 404).end(listed);
  });
  const found = await search(`http://${server.host}/ollama/`);
  assert.equal(found?.baseUrl, `http://${server.host}/ollama/v1`);
});

test("where nothing listens, or the variable is no address, there is none", async () => {
  assert.equal(await search(await hostWithoutListener()), null);
  assert.equal(await search("ftp://127.0.0.1"), null);
});

test("an Ollama without models answers for nothing and does not count", async () => {
  assert.equal(await searchWhereAnswerIs(200, '{"object":"list","data":null}'), null);
  assert.equal(await searchWhereAnswerIs(200, '{"object":"list","data":[]}'), null);
});

test("something else at that port is not taken for an Ollama", async () => {
  const others = ["", "null", "<html>", "[]", '"data"', '{"data":{}}', '{"data":[null,1,{},{"id":7},{"id":""}]}'];
  for (const body of others) assert.equal(await searchWhereAnswerIs(200, body), null, body);
  assert.equal(await searchWhereAnswerIs(401, listed), null);
  assert.equal(await searchWhereAnswerIs(200, `${listed}${" ".repeat(1024 * 1024)}`), null);
});

for (const [where, env, withinMs] of [
  ["at the usual port", {}, 150],
  ["where a server is named", { OLLAMA_HOST: "gpu-box" }, 2_000],
] as const) {
  test(`what stays silent ${where} is waited for ${withinMs} ms and no longer`, async () => {
    const clock = createVirtualClock();
    const call = { abort() {}, release() {}, pause() {}, resume() {} };
    const transport: Transport = { send: () => call, [Symbol.asyncDispose]: async () => {} };
    const found = findOllama({ transport, clock, env });
    clock.advance(withinMs - 1);
    assert.equal(clock.pendingCount, 1);
    clock.advance(1);
    assert.equal(await found, null);
    assert.equal(clock.pendingCount, 0);
  });
}

test("OLLAMA_HOST is read in the forms that Ollama reads", () => {
  const forms: Readonly<Record<string, string>> = {
    "": "http://127.0.0.1:11434/v1",
    " '10.0.0.7:8080' ": "http://10.0.0.7:8080/v1",
    ":8080": "http://127.0.0.1:8080/v1",
    "gpu-box": "http://gpu-box:11434/v1",
    "gpu-box:99999": "http://gpu-box:11434/v1",
    "0.0.0.0": "http://127.0.0.1:11434/v1",
    "[::]:8080": "http://[::1]:8080/v1",
    "::1": "http://[::1]:11434/v1",
    "http://gpu-box": "http://gpu-box/v1",
    "https://gpu-box/": "https://gpu-box/v1",
    "https://gpu-box:8443/team/": "https://gpu-box:8443/team/v1",
  };
  for (const [variable, address] of Object.entries(forms)) assert.equal(ollamaBaseUrl(variable), address, variable);
  assert.equal(ollamaBaseUrl(undefined), "http://127.0.0.1:11434/v1");
  for (const nonsense of ["ftp://gpu-box", "user:pass@gpu-box", "a b", "[::1"]) {
    assert.equal(ollamaBaseUrl(nonsense), null, nonsense);
  }
});
