/** From a request that uses a budget up to the call of the operator's webhook, over the whole gateway. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { createSecret } from "../../src/config/secret.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import { createAllowance } from "../../src/limits/operations/create.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";
import { createVirtualClock } from "../support/virtual-clock.ts";

test("a request that passes a threshold is told to the webhook, signed", async () => {
  const arrived = Promise.withResolvers<{ readonly headers: IncomingHttpHeaders; readonly body: string }>();
  await using receiver = await startLocalServer((request, response) => {
    void text(request).then((body) => {
      arrived.resolve({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  const key = Buffer.alloc(32, 7);
  const webhookSecret = createSecret(`whsec_${key.toString("base64")}`, "test");
  const clock = createVirtualClock();
  await using running = await startTestGateway({
    config: { alerts: { webhookUrl: `${receiver.url}/alerts`, webhookSecret } },
    overrides: { clock },
  });
  const { db } = running.gateway.store;
  const { id: tenantId } = await db.selectFrom("tenants").select("id").executeTakeFirstOrThrow();
  const deps = { db, clock, ids: createIdSource(systemRandomFill, () => clock.wallMs()) };
  await createAllowance(deps, {
    name: "daily",
    scope: { kind: "tenant", tenantId, projectId: null, keyId: null, endUser: null },
    meter: "requests",
    limit: 2n,
    window: "day",
    alertPercents: [50],
  });
  const answer = await fetch(`${running.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${running.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "simulator/sim-chat", messages: [{ role: "user", content: "Hello" }] }),
  });
  assert.equal(answer.status, 200);
  await answer.text();
  clock.advance(5000);
  const { headers, body } = await arrived.promise;
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  assert.equal(headers["webhook-signature"], `v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
  const { type, data } = JSON.parse(body) as { type: string; data: Record<string, unknown> };
  assert.equal(type, "allowance.threshold_passed");
  assert.deepEqual([data["percent"], data["spent"], data["limit"], data["unit"]], [50, "1", "2", "requests"]);
});
