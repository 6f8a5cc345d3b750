/** Bugs in what the model stands for: transactions of the bank and the ledger, journals and their recovery. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const bank = "test/simulation/model/bank.ts";
const ledger = "test/simulation/model/ledger.ts";
const journal = "test/simulation/model/journal.ts";
const courier = "test/simulation/gateway/courier.ts";

export const modelMutations: readonly Mutation[] = [
  {
    name: "a fenced owner may still draw",
    file: bank,
    find: "if (this.#owners.get(ownerId)?.fenced === false) return;\n    throw",
    replace: "if (this.#owners.has(ownerId)) return;\n    throw",
  },
  {
    name: "a fenced owner's return counts",
    file: bank,
    find: "if (this.#owners.get(ownerId)?.fenced !== false) return;",
    replace: "",
  },
  {
    name: "a lease never ends",
    file: bank,
    find: "if (owner.fenced || owner.leaseUntilMs >= this.#nowMs()) continue;",
    replace: "if (owner.fenced || owner.leaseUntilMs >= 0) continue;",
  },
  {
    name: "a renewal brings a fenced owner back",
    file: bank,
    find: "if (owner !== undefined && !owner.fenced) owner.leaseUntilMs = this.#nowMs() + leaseMs;",
    replace: "if (owner !== undefined) Object.assign(owner, { fenced: false, leaseUntilMs: this.#nowMs() + leaseMs });",
  },
  {
    name: "what was used of an account before anything was drawn is not counted",
    file: bank,
    find: "return key === null ? null : this.#open(key);",
    replace: "return key === null || row !== undefined ? null : this.#open(key);",
  },
  {
    name: "finishing keeps the grant",
    file: bank,
    find: "account.grants.delete(ownerId);",
    replace: "",
  },
  {
    name: "a changed limit reaches new accounts only",
    file: bank,
    find: "account.state = this.#withLimit(account.state, key);",
    replace: "",
  },
  {
    name: "a closing delivered twice is settled twice",
    file: ledger,
    find: "closings.filter(({ requestId }) => !this.#requestIds.has(requestId))",
    replace: "closings.filter(() => true)",
  },
  {
    name: "the ledger takes entries without their moves",
    file: ledger,
    find: "this.#applyMoves(added.flatMap(({ moves }) => moves));",
    replace: "this.#applyMoves([]);",
  },
  {
    name: "owners are finished before their closings are delivered",
    file: courier,
    find: "if (this.#journal.hasUndelivered(instanceId)) continue;",
    replace: "",
  },
  {
    name: "what is closed is thought to be delivered at once",
    file: courier,
    find: "if (requestIds.size === 0) return Promise.resolve();",
    replace: "if (requestIds.size >= 0) return Promise.resolve();",
  },
  {
    name: "recovery forgets what was held",
    file: journal,
    find: "fromGrant: amount,",
    replace: "fromGrant: 0n * amount,",
  },
  {
    name: "a delivery that was sent is taken for one that arrived",
    file: courier,
    find: "await this.#connection.call(() => setting.ledger.deliver(batch));",
    replace: "void this.#connection.call(() => setting.ledger.deliver(batch)).catch(() => {});",
  },
];
