import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { FairOrder } from "./fair-order.ts";
import { QueuedPass } from "./pass.ts";

const host = { ended: () => {}, abandoned: () => {} };

function call(tenantId: string, cost = 1, weight = 1): QueuedPass {
  return new QueuedPass(host, { tenantId, weight, priority: "interactive", cost, waitMs: 1_000, dueMs: Infinity }, 0);
}

/** Takes so many calls, each over before the next is taken; says whose they were. */
function serve(order: FairOrder, count: number): string {
  let tenants = "";
  for (let taken = 0; taken < count; taken++) {
    const pass = order.take();
    order.ended(pass, pass.cost);
    tenants += pass.tenantId;
  }
  return tenants;
}

function addMany(order: FairOrder, count: number, tenantId: string, cost = 1, weight = 1): void {
  for (let added = 0; added < count; added++) order.add(call(tenantId, cost, weight));
}

describe("a fair order", () => {
  test("takes tenants in turn, however many calls each has waiting", () => {
    const order = new FairOrder();
    addMany(order, 10, "a");
    addMany(order, 3, "b");
    assert.equal(serve(order, 13), "abababaaaaaaa");
  });

  test("gives a tenant of weight 3 three calls for one", () => {
    const order = new FairOrder();
    addMany(order, 40, "a", 6, 3);
    addMany(order, 40, "b", 6, 1);
    const first = serve(order, 20);
    assert.equal(first.replaceAll("b", "").length, 15);
  });

  test("charges by cost: ten small calls go for one large", () => {
    const order = new FairOrder();
    addMany(order, 5, "a", 100);
    addMany(order, 50, "b", 10);
    assert.equal(serve(order, 22), `a${"b".repeat(10)}a${"b".repeat(10)}`.slice(0, 22));
  });

  test("a tenant that has just come goes before one that was served all the time, and gets no more than its slots back", () => {
    const order = new FairOrder();
    addMany(order, 100, "a");
    const running = Array.from({ length: 50 }, () => order.take());
    for (const pass of running.splice(0, 42)) order.ended(pass, pass.cost);
    assert.equal(running.length, 8);
    addMany(order, 20, "b");
    assert.equal(serve(order, 10), "bbbbbababa");
  });

  test("two that come back one after the other get no more than their credit each", () => {
    const order = new FairOrder();
    addMany(order, 100, "a");
    const running = Array.from({ length: 50 }, () => order.take());
    for (const pass of running.splice(0, 42)) order.ended(pass, pass.cost);
    addMany(order, 20, "b");
    assert.equal(serve(order, 1), "b");
    addMany(order, 20, "c");
    assert.equal(serve(order, 9), "bcbcbcbca");
  });

  test("a call of no cost counts as one, so that many of them are no way past the others", () => {
    const order = new FairOrder();
    addMany(order, 10, "a", 0);
    addMany(order, 3, "b");
    assert.equal(serve(order, 6), "ababab");
  });

  test("a new weight of a tenant counts from its next call on", () => {
    const order = new FairOrder();
    addMany(order, 40, "a", 6, 1);
    addMany(order, 4, "b", 6, 1);
    addMany(order, 1, "a", 6, 3);
    assert.equal(serve(order, 9), "abaabaaab");
    assert.equal(order.costAhead("b", 1), 6 * 2 * (3 + 1));
  });

  test("what a call really took is charged in place of the estimate", () => {
    const order = new FairOrder();
    addMany(order, 20, "a", 10);
    addMany(order, 20, "b", 10);
    for (let round = 0; round < 8; round++) {
      const pass = order.take();
      order.ended(pass, pass.tenantId === "a" ? 30 : 10);
    }
    assert.deepEqual([order.lengthOf("a"), order.lengthOf("b")], [18, 14]);
  });

  test("a call that left the queue costs its tenant nothing, and the one behind it takes its place", () => {
    const order = new FairOrder();
    const leaving = call("a", 1000);
    order.add(leaving);
    addMany(order, 3, "a");
    addMany(order, 3, "b");
    order.remove(leaving);
    assert.deepEqual([order.length, order.waitingCost, serve(order, 6)], [6, 6, "ababab"]);
  });

  test("tells what is served before a further call: a tenant's own at its share, never more than all", () => {
    const order = new FairOrder();
    assert.equal(order.costAhead("a", 1), 0);
    addMany(order, 10, "a", 5);
    assert.deepEqual([order.costAhead("a", 1), order.costAhead("b", 1)], [50, 0]);
    addMany(order, 4, "b", 5);
    assert.deepEqual([order.costAhead("a", 1), order.costAhead("b", 1)], [70, 40]);
    assert.equal(order.costAhead("c", 1), 0);
  });

  test("counts a tenant's own calls as ahead even where it has credit, and its debts at everybody's pace", () => {
    const order = new FairOrder();
    addMany(order, 1000, "a");
    for (let taken = 0; taken < 50; taken++) order.take();
    addMany(order, 8, "b");
    assert.equal(order.costAhead("b", 1), 8);
    order.add(call("c", 100));
    assert.equal(serve(order, 30), `${"b".repeat(8)}c${"a".repeat(21)}`);
    const begin = 49 - 50 / 3;
    assert.equal(order.costAhead("c", 1), (begin + 100 - 70) * 2);
  });
});

describe("what a fair order remembers", () => {
  test("is nothing of a tenant that is idle and owes nothing, and nothing at all after a reset", () => {
    const order = new FairOrder();
    addMany(order, 4000, "heavy");
    let most = 0;
    for (let visitor = 0; visitor < 3000; visitor++) {
      order.add(call(`visitor-${visitor}`));
      serve(order, 2);
      most = Math.max(most, order.tenants);
    }
    assert.ok(most <= 130, `${most} tenants`);
    serve(order, order.length);
    order.reset();
    assert.equal(order.tenants, 0);
  });

  test("is the debt of a tenant that went away, so that coming back does not make it new", () => {
    const order = new FairOrder();
    order.add(call("a", 100));
    addMany(order, 200, "b", 1);
    serve(order, 2);
    order.add(call("a", 100));
    assert.equal(serve(order, 100), `${"b".repeat(99)}a`);
  });

  test("is a tenant whose calls still run, so that what they take beyond their estimates is charged", () => {
    const order = new FairOrder();
    addMany(order, 2, "a");
    const [one, other] = [order.take(), order.take()];
    addMany(order, 300, "b");
    serve(order, 100);
    order.ended(one, 1);
    order.ended(other, 200);
    order.add(call("a"));
    assert.equal(serve(order, 150), `${"b".repeat(101)}a${"b".repeat(48)}`);
  });

  test("a call that was running at the reset changes nothing when it ends", () => {
    const order = new FairOrder();
    addMany(order, 2, "a", 50);
    const [one, other] = [order.take(), order.take()];
    order.reset();
    addMany(order, 3, "a");
    addMany(order, 3, "b");
    order.ended(one, 0);
    order.ended(other, 0);
    assert.deepEqual([order.lengthOf("a"), order.lengthOf("b"), serve(order, 6)], [3, 3, "ababab"]);
  });

  test("nobody has credit for what was before a reset, nor for calls that ran then", () => {
    const order = new FairOrder();
    addMany(order, 1, "a", 10);
    order.take();
    addMany(order, 3, "a", 10);
    addMany(order, 3, "b", 10);
    assert.equal(serve(order, 4), "baba");
    serve(order, 2);
    order.reset();
    addMany(order, 20, "a", 10);
    serve(order, 10);
    addMany(order, 20, "b", 10);
    assert.equal(serve(order, 4), "baba");
  });
});

const tenantIds = ["a", "b", "c", "d"] as const;
const costMax = 20;
const weights = fc.tuple(...tenantIds.map(() => fc.integer({ min: 1, max: 5 })));
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("add"), tenant: fc.nat(3), cost: fc.integer({ min: 1, max: costMax }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("take"), tenant: fc.constant(0), cost: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("end"), tenant: fc.constant(0), cost: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave"), tenant: fc.nat(3), cost: fc.nat(7) }) },
);

/** An order beside the plainest account of what it did: lines as lists, service as sums. */
class Bench {
  readonly order = new FairOrder();
  readonly lines: QueuedPass[][] = tenantIds.map(() => []);
  readonly served: number[] = tenantIds.map(() => 0);
  readonly running: QueuedPass[] = [];
  runningMost = 0;
  readonly #weights: readonly number[];

  constructor(givenWeights: readonly number[]) {
    this.#weights = givenWeights;
  }

  act({ kind, tenant, cost }: { kind: string; tenant: number; cost: number }): void {
    const line = this.lines[tenant]!;
    if (kind === "add") {
      const pass = call(tenantIds[tenant]!, cost, this.#weights[tenant]);
      this.order.add(pass);
      line.push(pass);
    } else if (kind === "take" && this.order.length > 0) {
      this.#take();
    } else if (kind === "end" && this.running.length > 0) {
      const [pass] = this.running.splice(cost % this.running.length, 1);
      this.order.ended(pass!, pass!.cost);
    } else if (kind === "leave" && line.length > 0) {
      const [pass] = line.splice(cost % line.length, 1);
      this.order.remove(pass!);
    }
    const costOfRunning = this.running.reduce((sum, pass) => sum + pass.cost, 0);
    this.runningMost = Math.max(this.runningMost, costOfRunning);
  }

  #take(): void {
    const pass = this.order.take();
    const tenant = tenantIds.findIndex((id) => id === pass.tenantId);
    assert.equal(this.lines[tenant]!.shift(), pass, "calls of one tenant are taken in the order in which they came");
    this.served[tenant]! += pass.cost / this.#weights[tenant]!;
    this.running.push(pass);
  }
}

describe("over any history", () => {
  test("lines keep their order, and the counts are those of the calls", () => {
    fc.assert(
      fc.property(weights, fc.array(step, { maxLength: 200 }), (given, steps) => {
        const bench = new Bench(given);
        for (const each of steps) {
          bench.act(each);
          const waiting = bench.lines.flat();
          assert.equal(bench.order.length, waiting.length);
          assert.equal(
            bench.order.waitingCost,
            waiting.reduce((sum, pass) => sum + pass.cost, 0),
          );
        }
      }),
    );
  });

  test("what two tenants got by weight while both waited differs by a call of each and the credit at the most", () => {
    fc.assert(
      fc.property(weights, fc.boolean(), fc.array(step, { minLength: 20, maxLength: 300 }), (given, long, steps) => {
        const bench = new Bench(given);
        const [one, other] = given as [number, number];
        let least = Infinity;
        let most = -Infinity;
        for (const each of steps) {
          bench.act(each);
          if (!long && bench.running.length > 0) bench.act({ kind: "end", tenant: 0, cost: 0 });
          const bothWait = bench.lines[0]!.length > 0 && bench.lines[1]!.length > 0;
          const ahead = bench.served[0]! - bench.served[1]!;
          least = bothWait ? Math.min(least, ahead) : Infinity;
          most = bothWait ? Math.max(most, ahead) : -Infinity;
          const bound = costMax / one + costMax / other + bench.runningMost / Math.min(one, other);
          assert.ok(most - least <= bound + 1e-9, `${most - least} over ${bound}`);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("no call waits for more than everybody's share: nobody starves", () => {
    fc.assert(
      fc.property(weights, fc.array(step, { minLength: 20, maxLength: 300 }), (given, steps) => {
        const bench = new Bench(given);
        const slowest = Math.min(...given);
        const all = given.reduce((sum, weight) => sum + weight, 0);
        let head: QueuedPass | null = null;
        let servedSince = 0;
        for (const each of steps) {
          const before = bench.served.reduce((sum, amount, tenant) => sum + amount * given[tenant]!, 0);
          bench.act(each);
          const after = bench.served.reduce((sum, amount, tenant) => sum + amount * given[tenant]!, 0);
          const first = bench.lines[0]![0] ?? null;
          servedSince = first === head ? servedSince + after - before : 0;
          head = first;
          const credit = bench.runningMost / slowest;
          assert.ok(head === null || servedSince <= (costMax / given[0]! + credit) * all + costMax * given.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
