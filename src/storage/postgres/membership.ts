/**
 * What connects one process to the shared database: its connections, its outbox, and the bank as it uses it.
 *
 *   joined: closings go out, grants come in ──▶ leaving: all is delivered, all owners are finished ──▶ left
 *
 * Invariant: the process counts as settled only if all of its closings are delivered and all of its owners finished.
 * Otherwise it stays announced, and whoever finds it dead does the rest.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { Bank } from "../escrow/bank.ts";
import { createSqlBank } from "../escrow/sql-bank.ts";
import type { Announced, EngineSide } from "../sqlite/journal-file.ts";
import type { PostgresOptions, StoreEvents } from "../storage.ts";
import { storageUnavailable } from "./failures.ts";
import type { SharedNews } from "./news.ts";
import { createOutboxReader } from "./outbox/batch.ts";
import { createOutboxEffects } from "./outbox/enqueue.ts";
import { Outbox } from "./outbox/outbox.ts";
import { createOwnBank } from "./own-bank.ts";
import { endsWithin } from "./patience.ts";
import { recognise } from "./replica/first-copy.ts";
import { createSharedDatabase, serverTime, type SharedDatabase } from "./shared-database.ts";

export interface MembershipOptions {
  readonly postgres: PostgresOptions;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly events: Partial<StoreEvents>;
  readonly news: SharedNews;
  /** This process has committed a change of the control tables; whoever made it goes on when this resolves. */
  readonly onControlChange: () => Promise<void>;
}

export interface Membership extends EngineSide {
  readonly shared: SharedDatabase;
  readonly outbox: Outbox;
  readonly bank: Bank;
}

/** Asks nothing of the shared database yet. */
export async function join(
  options: MembershipOptions,
  { instanceId, db: local, loop, closingTime }: Announced,
  opened: AsyncDisposableStack,
): Promise<Membership> {
  const { clock, events, news } = options;
  const shared = createSharedDatabase(options.postgres, {
    onControlChange: options.onControlChange,
    onOutOfRange: (column, value) => events.failed?.("count", `${column} holds ${value}`),
    recognise: (databaseId) => recognise(local, databaseId, options.dataDir),
  });
  opened.use(shared);
  const bank = createSqlBank({
    db: shared.work,
    now: serverTime,
    unavailable: storageUnavailable,
  });
  const outbox = await Outbox.open({
    local,
    read: createOutboxReader(loop, instanceId),
    shared: shared.work,
    bank,
    clock,
    instanceId,
    onFailure(error) {
      // While the database is lost, which the replica notices within a second, that is all there is to say.
      if (!news.lost) events.failed?.("delivery", error);
    },
    onRefused: (error) => events.failed?.("delivery", error),
  });
  const own = createOwnBank(bank, () => outbox.delivered());
  const effects = createOutboxEffects(loop, local, instanceId);
  let settled = false;
  opened.defer(async () => {
    settled = await endsWithin(clock, closingTime.leftMs(), own.finishAll());
    await outbox.stop();
  });
  return {
    shared,
    outbox,
    bank: own.bank,
    effects,
    committed: () => outbox.added(effects.takeCount()),
    isSettled: () => settled,
  };
}
