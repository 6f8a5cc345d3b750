/**
 * Random histories of a ledger: requests closed once or twice, gateways that die with attempts under way, corrections
 * appended once or twice. Over few payers, providers, models and hours, so that sums have several entries.
 */
import { sql } from "kysely";
import { type NanoUsd, toNanoUsd } from "../../src/kernel/money.ts";
import { emptyUsage, usageBuckets } from "../../src/kernel/usage.ts";
import type { Usage } from "../../src/kernel/usage.ts";
import type { LedgerEntry, LedgerFlag, Payer, SettlementBasis } from "../../src/storage/records.ts";
import { readAttempts } from "../../src/storage/reports/charged-attempts.ts";
import { appendCorrections, type CorrectionEntry } from "../../src/storage/reports/corrections.ts";
import { toLedgerEntry } from "../../src/storage/rows.ts";
import type { Store } from "../../src/storage/storage.ts";
import { fc } from "../support/properties.ts";
import type { Place } from "./engines.ts";
import { sampleEntry, sampleHold, sampleRecord } from "./samples.ts";

const HOUR_MS = 3_600_000;
/** Histories happen within some hours around this time, which ends a month. */
const middleMs = Date.UTC(2026, 11, 1);

const payers: readonly Payer[] = [
  { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" },
  { tenantId: "ten_1", projectId: "prj_2", keyId: "key_2" },
  { tenantId: "ten_2", projectId: "prj_3", keyId: "key_3" },
];
const bases: readonly SettlementBasis[] = ["reported", "drained", "metered", "worst-case", "none"];
const flags: readonly (readonly LedgerFlag[])[] = [[], ["unpriced"], ["estimated"], ["unpriced", "estimated"]];

export const moment: fc.Arbitrary<number> = fc.integer({ min: middleMs - 4 * HOUR_MS, max: middleMs + 4 * HOUR_MS });

interface Amounts {
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
}

type Caller = Pick<LedgerEntry, "payer" | "endUser" | "operation">;

interface AttemptStep extends Pick<LedgerEntry, "provider" | "modelServed" | "atMs" | "basis" | "flags"> {
  readonly amounts: Amounts;
}

interface RequestStep {
  readonly caller: Caller;
  readonly attempts: readonly AttemptStep[];
  readonly twice: boolean;
}

interface CorrectionStep extends Pick<LedgerEntry, "atMs" | "basis" | "flags"> {
  /** Of the charges in the ledger by then, counted round and round. */
  readonly which: number;
  /** What charge and correction come to together. */
  readonly amounts: Amounts;
  readonly twice: boolean;
}

export interface Step {
  /** Requests closed in one commit. */
  readonly closings: readonly RequestStep[];
  /** What a gateway held when it died. `null`: none did. */
  readonly death: readonly RequestStep[] | null;
  readonly correction: CorrectionStep | null;
}

const amounts: fc.Arbitrary<Amounts> = fc.record({
  costNanoUsd: fc.bigInt({ min: 0n, max: 2n ** 40n }).map(toNanoUsd),
  usage: fc
    .array(fc.tuple(fc.constantFrom(...usageBuckets), fc.nat(100_000)), { maxLength: 4 })
    .map((counts): Usage => ({ ...emptyUsage(), ...Object.fromEntries(counts) })),
});

const attempt: fc.Arbitrary<AttemptStep> = fc.record({
  provider: fc.constantFrom("openai", "azure"),
  modelServed: fc.constantFrom("m-1", "m-2"),
  atMs: moment,
  amounts,
  basis: fc.constantFrom(...bases),
  flags: fc.constantFrom(...flags),
});

function requests(attempts: fc.ArrayConstraints): fc.Arbitrary<readonly RequestStep[]> {
  const caller = fc.record({
    payer: fc.constantFrom(...payers),
    endUser: fc.constantFrom("ann", "bob", null),
    operation: fc.constantFrom("chat" as const, "embeddings" as const),
  });
  return fc.array(fc.record({ caller, attempts: fc.array(attempt, attempts), twice: fc.boolean() }), {
    minLength: 1,
    maxLength: 5,
  });
}

const correction: fc.Arbitrary<CorrectionStep> = fc.record({
  which: fc.nat(),
  atMs: moment,
  amounts,
  basis: fc.constantFrom(...bases),
  flags: fc.constantFrom<LedgerFlag[][]>([], ["priced"], ["unpriced"]),
  twice: fc.boolean(),
});

export const history: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    closings: requests({ maxLength: 3 }),
    death: fc.option(requests({ minLength: 1, maxLength: 2 }), { freq: 3 }),
    correction: fc.option(correction, { freq: 2 }),
  }),
  { minLength: 1, maxLength: 5 },
);

/** Makes it happen, further on in a place's store. */
export class Historian {
  readonly #place: Place;
  readonly #store: Store;
  #made = 0;

  constructor(place: Place, store: Store) {
    this.#place = place;
    this.#store = store;
  }

  async make(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await Promise.all(step.closings.map((closing) => this.#close(closing)));
      if (step.death !== null) await this.#die(step.death);
      await this.#store.delivered();
      if (step.correction !== null) await this.#correct(step.correction);
    }
  }

  /** All charges in the order of their ids, then all corrections, an attempt's as they were made. */
  async ledger(): Promise<readonly LedgerEntry[]> {
    const rows = await this.#store.db
      .selectFrom("ledger_entries")
      .selectAll()
      .orderBy(sql`length(entry_id)`)
      .orderBy("entry_id")
      .execute();
    return rows.map(toLedgerEntry);
  }

  async #close({ caller: by, attempts, twice }: RequestStep): Promise<void> {
    const requestId = this.#nextId("req");
    const entries = attempts.map((each) => sampleEntry(requestId, this.#nextId("att"), entryOf(by, each)));
    const record = sampleRecord(requestId, { payer: by.payer });
    const closings = [this.#store.journal.close(record, entries)];
    if (twice) closings.push(this.#store.journal.close(record, entries));
    await Promise.all(closings);
  }

  /** Another gateway on the same place opens calls and ends without closing them; this one recovers. */
  async #die(dead: readonly RequestStep[]): Promise<void> {
    {
      await using dying = await this.#place.openStore({ recoveryIntervalMs: HOUR_MS });
      const opened = dead.flatMap(({ caller: by, attempts }) => {
        const requestId = this.#nextId("req");
        return attempts.map(({ provider, modelServed, amounts: { usage, costNanoUsd } }) =>
          dying.journal.open(
            sampleHold(requestId, this.#nextId("att"), {
              ...by,
              provider,
              modelTarget: modelServed,
              heldUsage: usage,
              heldCostNanoUsd: costNanoUsd,
            }),
          ),
        );
      });
      await Promise.all(opened);
    }
    await this.#store.recoverHolds();
  }

  async #correct({ which, atMs, amounts, basis, flags, twice }: CorrectionStep): Promise<void> {
    const entries = await this.ledger();
    const charges = entries.filter(({ kind }) => kind === "charge");
    const charge = charges[which % charges.length];
    if (charge === undefined) return;
    const difference = emptyUsage();
    for (const bucket of usageBuckets) difference[bucket] = amounts.usage[bucket] - charge.usage[bucket];
    const entry: CorrectionEntry = {
      ...charge,
      atMs,
      usage: difference,
      costNanoUsd: toNanoUsd(amounts.costNanoUsd - charge.costNanoUsd),
      basis,
      flags,
    };
    const [attempt] = await readAttempts(this.#store.db, [{ entry_id: charge.entryId }]);
    if (attempt === undefined) throw new Error(`${charge.entryId} is not in the ledger.`);
    for (let times = 0; times < (twice ? 2 : 1); times++) {
      await appendCorrections(this.#store.db, [{ attempt, entry, moves: [] }]);
    }
  }

  /** In the order in which they are made. */
  #nextId(prefix: string): string {
    return `${prefix}_${String(++this.#made).padStart(6, "0")}`;
  }
}

function entryOf(by: Caller, { amounts: { usage, costNanoUsd }, ...rest }: AttemptStep): Partial<LedgerEntry> {
  return { ...by, ...rest, usage, costNanoUsd };
}
