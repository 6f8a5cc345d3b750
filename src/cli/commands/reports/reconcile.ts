import {
  type LookupAnswer,
  type ReconcileDeps,
  type ReconcileReport,
  reconcileProvider,
} from "../../../accounting/reconcile.ts";
import { addUsd, formatUsd, type NanoUsd, zeroUsd } from "../../../kernel/money.ts";
import type { Endpoint } from "../../../providers/endpoint.ts";
import { createUndiciTransport } from "../../../providers/undici-transport.ts";
import { readUsageLookup, usageLookupPath } from "../../../providers/usage-lookup.ts";
import type { LedgerEntry } from "../../../storage/records.ts";
import { appendCorrection, listUnreconciled } from "../../../storage/reports/reconciliation.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { viewGateway } from "../../gateway-view.ts";
import { type AskDeps, askProvider } from "../../provider-call.ts";
import { reasonOf } from "../../doctor/finding.ts";
import { renderTable } from "../../table.ts";
import { decimalUsd } from "../../values/money-text.ts";
import { loadSettings, openExistingRecords, type Records } from "../../workspace.ts";

export interface ReconcileOptions {
  readonly provider: string | null;
}

interface Outcome extends ReconcileReport {
  readonly provider: string;
  /** Of the appended corrections, signed. */
  differenceNanoUsd: NanoUsd;
}

const ANSWER_WITHIN_MS = 10_000;
/** How long a provider's record of a call may take to appear. */
const ABSENT_AFTER_MS = 10 * 60_000;

export async function run(invocation: Invocation<ReconcileOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  await using records = openExistingRecords(invocation);
  const { config } = loadSettings(invocation);
  const { snapshot } = viewGateway(config, context);
  const endpoints = chooseEndpoints([...snapshot.endpoints.values()], options.provider);
  await using transport = createUndiciTransport({ connectTimeoutMs: config.timeouts.connectMs, connectionsMax: 32 });
  const ask: AskDeps = { transport, clock: context.clock };
  const outcomes: Outcome[] = [];
  for (const endpoint of endpoints) {
    const told = (reason: unknown): void => output.note(`${endpoint.name} cannot be asked: ${reasonOf(reason)}`);
    outcomes.push(await reconcile(records, endpoint, ask, snapshot.prices, told));
  }
  output.result({ providers: outcomes.map(describe) }, () => renderOutcomes(outcomes));
  return outcomes.some(({ failed }) => failed > 0) ? exitCodes.failure : exitCodes.ok;
}

async function reconcile(
  { db, clock }: Records,
  endpoint: Endpoint,
  ask: AskDeps,
  prices: ReconcileDeps["prices"],
  told: (reason: unknown) => void,
): Promise<Outcome> {
  let differenceNanoUsd = zeroUsd;
  const deps: ReconcileDeps = {
    prices,
    wallMs: () => clock.wallMs(),
    store: {
      unreconciled: (query) => listUnreconciled(db, query),
      async append(correction: LedgerEntry) {
        const isNew = await appendCorrection(db, correction);
        if (isNew) differenceNanoUsd = addUsd(differenceNanoUsd, correction.costNanoUsd);
        return isNew;
      },
    },
    lookup: (_entry, id, signal) => lookUp(ask, endpoint, id, signal),
    lookupFailed: (_entry, reason) => told(reason),
  };
  const acceptsClientRequestId = endpoint.spec.usageLookup?.acceptsClientRequestId ?? false;
  const provider = { name: endpoint.name, acceptsClientRequestId, absentAfterMs: ABSENT_AFTER_MS };
  const report = await reconcileProvider(deps, provider, new AbortController().signal);
  return { ...report, provider: endpoint.name, differenceNanoUsd };
}

async function lookUp(ask: AskDeps, endpoint: Endpoint, id: string, signal: AbortSignal): Promise<LookupAnswer> {
  const { usageLookup } = endpoint.spec;
  if (usageLookup === null) throw new HeadgateError("internal", `Provider ${endpoint.name} cannot be asked for usage.`);
  const limits = { timeoutMs: ANSWER_WITHIN_MS, signal };
  const path = usageLookupPath(usageLookup, id);
  const { status, body } = await askProvider(ask, endpoint, endpoint.nextCredential(), path, limits);
  return readUsageLookup(status, parseJson(body));
}

/** What is no JSON is left to the reader of the answer, which says what is missing. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Those that can say what a call used. Throws `not_found`, `invalid_argument` for a named one that cannot. */
function chooseEndpoints(all: readonly Endpoint[], name: string | null): readonly Endpoint[] {
  const able = all.filter(({ spec }) => spec.usageLookup !== null);
  if (name === null) return able;
  const chosen = all.find((endpoint) => endpoint.name === name);
  if (chosen === undefined) {
    const message = `No provider ${JSON.stringify(name)} is configured. Configured: ${all.map((each) => each.name).join(", ")}.`;
    throw new HeadgateError("not_found", message, { param: "--provider" });
  }
  if (chosen.spec.usageLookup !== null) return [chosen];
  const message = `Provider ${name} cannot say afterwards what a call used.`;
  throw new HeadgateError("invalid_argument", message, { param: "--provider" });
}

function describe({ differenceNanoUsd, ...rest }: Outcome): Readonly<Record<string, unknown>> {
  return { ...rest, differenceUsd: decimalUsd(differenceNanoUsd) };
}

function renderOutcomes(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return "No configured provider can say afterwards what a call used.\n";
  return renderTable(outcomes, [
    { title: "provider", cell: ({ provider }) => provider },
    { title: "corrected", cell: ({ corrected }) => String(corrected), align: "right" },
    { title: "by", cell: ({ differenceNanoUsd }) => formatUsd(differenceNanoUsd), align: "right" },
    { title: "pending", cell: ({ pending }) => String(pending), align: "right" },
    { title: "unknown", cell: ({ unknown }) => String(unknown), align: "right" },
    { title: "failed", cell: ({ failed }) => String(failed), align: "right" },
  ]);
}
