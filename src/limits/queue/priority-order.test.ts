import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { QueuedPass } from "./pass.ts";
import type { Priority } from "./priority.ts";
import { PriorityOrder } from "./priority-order.ts";

const host = { ended: () => {}, abandoned: () => {} };
const costMax = 20;

function call(priority: Priority, cost = 1): QueuedPass {
  return new QueuedPass(host, { tenantId: "a", weight: 1, priority, cost, waitMs: 1_000, dueMs: Infinity }, 0);
}

function orderOf(batchShare: number, interactive: number, batch: number): PriorityOrder {
  const order = new PriorityOrder();
  order.batchShare = batchShare;
  for (let added = 0; added < batch; added++) order.add(call("batch"));
  for (let added = 0; added < interactive; added++) order.add(call("interactive"));
  return order;
}

/** The priorities of the next so many calls by their first letters. */
function serve(order: PriorityOrder, count: number): string {
  return Array.from({ length: count }, () => order.take().priority[0]).join("");
}

test("interactive calls go first, and each tenth call is a batch one that they earned", () => {
  assert.equal(serve(orderOf(0.1, 40, 40), 21), `${"i".repeat(9)}b${"i".repeat(9)}bi`);
});

test("without a share batch calls wait until no interactive call does", () => {
  assert.equal(serve(orderOf(0, 5, 2), 7), "iiiiibb");
});

test("batch calls take all that interactive ones leave, and pay nothing for it later", () => {
  const order = orderOf(0.1, 0, 60);
  assert.equal(serve(order, 40), "b".repeat(40));
  for (let added = 0; added < 20; added++) order.add(call("interactive"));
  assert.equal(serve(order, 11), `${"i".repeat(9)}bi`);
});

test("what batch calls earned is gone when none waits any more", () => {
  const order = new PriorityOrder();
  order.batchShare = 0.1;
  const batch = call("batch");
  order.add(batch);
  for (let added = 0; added < 40; added++) order.add(call("interactive"));
  serve(order, 8);
  order.remove(batch);
  order.add(call("batch"));
  assert.equal(serve(order, 10), `${"i".repeat(9)}b`);
});

test("while both wait, batch gets its share of the service within one call, for any costs", () => {
  const costs = fc.array(fc.integer({ min: 1, max: costMax }), { minLength: 200, maxLength: 200 });
  fc.assert(
    fc.property(costs, costs, fc.double({ min: 0.01, max: 0.5, noNaN: true }), (interactive, batch, share) => {
      const order = new PriorityOrder();
      order.batchShare = share;
      for (const cost of interactive) order.add(call("interactive", cost));
      for (const cost of batch) order.add(call("batch", cost));
      const served = { interactive: 0, batch: 0 };
      while (order.of("interactive").length > 0 && order.of("batch").length > 0) {
        const pass = order.take();
        served[pass.priority] += pass.cost;
        const due = (served.interactive * share) / (1 - share);
        assert.ok(served.batch <= due + 1e-6, "batch took more than it had earned");
        assert.ok(
          served.batch > due - costMax - (costMax * share) / (1 - share) - 1e-6,
          "batch was made to wait longer",
        );
      }
    }),
  );
});

test("tells what is served before a further call, the other priority's part included", () => {
  const order = orderOf(0.1, 18, 40);
  assert.equal(order.costAhead("interactive", "a", 1, 1), 18 + 2);
  assert.equal(order.costAhead("batch", "a", 1, 1), 40 + 18);
  assert.equal(orderOf(0.1, 100, 4).costAhead("batch", "a", 1, 1), 4 + 45);
  const earning = orderOf(0.1, 109, 4);
  serve(earning, 9);
  assert.equal(earning.costAhead("batch", "a", 1, 1), 4 + 36);
  assert.equal(orderOf(0, 100, 4).costAhead("batch", "a", 1, 1), 4 + 100);
});
