/** The simulator's side, asked over its control endpoints: is it idle, and what does it charge for. */
import { eventually } from "../support/eventually.ts";

export interface InvoiceLine {
  readonly line: number;
  readonly clientRequestId: string | null;
  readonly apiKey: string;
  readonly model: string;
  readonly endpoint: string;
  readonly stream: boolean;
  readonly ended: "complete" | "cancelled" | "fault";
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly output: number;
  readonly reasoning: number;
  /** Decimal text. */
  readonly costNanoUsd: string;
}

export interface SimulatorStats {
  readonly complete: number;
  readonly cancelled: number;
  readonly fault: number;
  readonly refused: number;
  readonly running: number;
  readonly invoiceLines: number;
  readonly droppedLines: number;
  /** Decimal text. */
  readonly costNanoUsd: string;
}

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
