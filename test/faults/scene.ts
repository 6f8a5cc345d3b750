/**
 * A whole gateway with small limits and an allowance of each meter on every request, which makes one call
 * for each of them and leaves no target alone: for what one call comes to. Requests are asked side by side, each of a
 * target of its own, and checked in all four respects; what they have in common is checked at the end, by `assertBooks`.
 */
import assert from "node:assert/strict";
import type { Config, ProviderConfig } from "../../src/config/config.ts";
import { defaultProvider, withProvider, type DeepPartial } from "../../src/config/defaults.ts";
import type { GatewayOverrides } from "../../src/gateway.ts";
import { allowPlenty, ledgerOf, spentOf } from "../support/allowances.ts";
import { eventually } from "../support/eventually.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { type Ask, Asker, kindOf } from "./asker.ts";
import { assertCase, assertCases, booksOf, type Asked, type Booked, type Books, type Expected } from "./books.ts";
import type { Upstream } from "./table.ts";

const short: DeepPartial<Config> = {
  timeouts: { firstTokenMs: 10_000, idleMs: 10_000, totalMs: 30_000, endingMs: 1_000 },
  limits: { responseBytes: 1_000_000, streamEventBytes: 500_000, streamBufferBytes: 65_536 },
  retries: { attemptsMax: 1 },
  health: { failuresInRow: 0, failurePercent: 0 },
};

/** `unlimited`: without allowances, so that requests ask the store for nothing before their hold. */
export async function openScene(
  config: DeepPartial<Config> = {},
  overrides: GatewayOverrides = {},
  unlimited: boolean = false,
): Promise<Scene> {
  const timeouts = { ...short.timeouts, ...config.timeouts };
  const limits = { ...short.limits, ...config.limits };
  // Providers of tests have no prices, and all allowances are on every path.
  const prices = { unknownModel: "allow", ...config.prices } as const;
  const test = await startTestGateway({ config: { ...short, ...config, timeouts, limits, prices }, overrides });
  if (!unlimited) await allowPlenty(test.gateway);
  return new Scene(test, unlimited);
}

export class Scene extends Asker implements AsyncDisposable {
  readonly test: TestGateway;
  readonly #unlimited: boolean;

  constructor(test: TestGateway, unlimited: boolean) {
    super(test.url, test.key);
    this.test = test;
    this.#unlimited = unlimited;
  }

  /** From now on there is this provider, which speaks what `upstream` does. */
  provide(name: string, upstream: Upstream, provider: DeepPartial<ProviderConfig>): void {
    const { gateway } = this.test;
    const base = gateway.config.providers[kindOf(upstream)];
    const own = { ...(base ?? defaultProvider(kindOf(upstream))), ...provider } as ProviderConfig;
    gateway.replaceConfig(withProvider(gateway.config, name, own));
  }

  get books(): Books {
    const { gateway, simulator } = this.test;
    return booksOf(gateway.store, simulator);
  }

  check(asked: Asked, expected: Expected): Promise<Booked | null> {
    return assertCase(this.books, asked, expected);
  }

  checkAll(asked: readonly Asked[], all: readonly Expected[]): Promise<readonly PromiseSettledResult<unknown>[]> {
    return assertCases(this.books, asked, all);
  }

  /** To be called when all is asked: nothing is held, allowances say what the ledger says, and nobody was called besides. */
  async assertBooks(): Promise<void> {
    const { gateway, simulator } = this.test;
    await this.whenCalled(0);
    const { db, journalDb } = gateway.store;
    assert.deepEqual(await journalDb.selectFrom("holds").select("attempt_id").execute(), [], "nothing stays held");
    const rows = await db.selectFrom("requests").select("attempts").execute();
    const { complete, cancelled, fault, refused } = simulator.stats();
    const attempts = rows.reduce((sum, row) => sum + row.attempts, 0);
    assert.ok(complete + cancelled + fault + refused <= attempts, "no call without an attempt");
    if (this.#unlimited) return;
    const { money, tokens } = await spentOf(gateway);
    assert.deepEqual({ money, tokens }, await ledgerOf(gateway), "allowances were charged what the ledger was");
  }

  /** So many calls are at the providers. */
  async whenCalled(calls: number = 1): Promise<void> {
    await eventually(`${calls} calls at the providers`, () => this.test.simulator.stats().running === calls);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test[Symbol.asyncDispose]();
  }
}

/** Whoever asks again, with what they asked, is given the same to the byte. */
export async function assertRepeated(scene: Scene, asked: readonly Asked[], asks: readonly Ask[]): Promise<void> {
  const pairs = asked.map((one, at) => [one, asks[at] ?? {}] as const);
  await Promise.all(
    pairs.map(async ([one, ask]) => {
      const [first, again] = [await one.reply, await scene.repeat(one, ask)];
      const { status, text, headers } = again;
      assert.deepEqual([status, text, headers["idempotent-replayed"]], [first.status, first.text, "true"]);
    }),
  );
}
