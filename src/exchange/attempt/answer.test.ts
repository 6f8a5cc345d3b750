import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { Pool } from "undici";
import { connectionError } from "./answer.ts";
import type { AttemptCall } from "./call.ts";

const call = { providerName: "p" } as AttemptCall;

/** What undici says of a server that answers so. */
async function failureOf(answer: string): Promise<Error> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const pool = new Pool(`http://127.0.0.1:${address.port}`);
  try {
    return await pool.request({ path: "/", method: "POST" }).then(
      ({ statusCode }) => assert.fail(`answered with ${statusCode}`),
      (thrown: Error) => thrown,
    );
  } finally {
    await pool.close();
    server.close();
  }
}

test("a server that speaks something else is told from one that closes the connection", async () => {
  const spoken = connectionError(call, false, await failureOf("SSH-2.0-OpenSSH\r\n"));
  assert.equal(spoken.code, "upstream_malformed");
  assert.match(spoken.message, /not HTTP\. The operator checks its baseUrl/);
  assert.equal(connectionError(call, false, await failureOf("")).code, "upstream_unreachable");
  assert.equal(connectionError(call, true, await failureOf("HTTP/1.1 200 OK\r\ncont")).code, "stream_truncated");
});
