/** The simulator's side, asked over its control endpoints: is it idle, and what does it charge for. */
import type { SimulatorStats as Stats } from "../../src/simulator/control.ts";
import type { InvoiceLine as Line } from "../../src/simulator/invoice.ts";
import { eventually } from "../support/eventually.ts";

/** As JSON carries it: whole numbers of any size are decimal text. */
type InJson<Value> = { readonly [Name in keyof Value]: Value[Name] extends bigint ? string : Value[Name] };

export type InvoiceLine = InJson<Line>;
export type SimulatorStats = InJson<Stats>;

const IDLE_WITHIN_MS = 30_000;

/** Resolves when no call is running any more and its books no longer change. */
export async function awaitIdle(url: string): Promise<SimulatorStats> {
  let before = "";
  return await eventually(
    "the simulator is idle",
    async () => {
      const stats = await getJson<SimulatorStats>(`${url}/sim/stats`);
      const same = JSON.stringify(stats) === before;
      before = JSON.stringify(stats);
      return same && stats.running === 0 ? stats : null;
    },
    IDLE_WITHIN_MS,
  );
}

export async function readInvoice(url: string): Promise<readonly InvoiceLine[]> {
  const lines: InvoiceLine[] = [];
  for (let after = 0, total = Infinity; after < total;) {
    const page = await getJson<InvoicePage>(`${url}/sim/invoice?after=${after}`);
    lines.push(...page.lines);
    after = page.next_after;
    total = page.total_lines;
  }
  return lines;
}

interface InvoicePage {
  readonly lines: readonly InvoiceLine[];
  readonly next_after: number;
  readonly total_lines: number;
}

async function getJson<Document>(url: string): Promise<Document> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  return (await response.json()) as Document;
}
