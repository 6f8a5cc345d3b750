/**
 * The simulator's own books: one line for every request that generated or was billed anything, in the order they
 * ended. Lines are kept in blocks of typed columns, about 50 bytes each besides the caller's own request id, so that
 * writing one costs next to nothing; a line's cost is calculated again when it is read. Above `linesMax` the oldest block goes;
 * its cost stays in the total.
 *
 * Billing rules: a request refused before generation costs nothing and has no line. From then on the input is billed,
 * also if the caller leaves before the first token, and every token generated until the end, the fault, or the moment
 * the caller's leaving was noticed.
 */
import type { AnswerIds, Endpoint } from "./ids.ts";
import { createBlockIndex, type BlockIndex } from "./invoice-index.ts";
import { costOf, simulatedModels, type Tokens } from "./prices.ts";

export type Ended = "complete" | "cancelled" | "fault";

/** What is known of an answer when it ends. */
interface EndedAnswer extends Tokens {
  /** The caller's `x-client-request-id`. */
  readonly clientRequestId: string | null;
  /** `…` and the last four characters of the API key; `none` without one. */
  readonly apiKey: string;
  readonly model: string;
  readonly endpoint: Endpoint;
  readonly stream: boolean;
  /** When it ended, milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly ended: Ended;
}

export interface InvoiceEntry extends EndedAnswer {
  readonly number: number;
}

export interface InvoiceLine extends EndedAnswer {
  /** Rises by one with every line since the start or the last reset; gaps never occur. */
  readonly line: number;
  /** The id in the answer, or one of the same kind where the answer has none. */
  readonly id: string;
  readonly costNanoUsd: bigint;
}

const BLOCK_LINES = 8192;
const ENDINGS: readonly Ended[] = ["complete", "cancelled", "fault"];
const ENDPOINTS: readonly Endpoint[] = ["chat", "messages", "embeddings"];
const COUNT_COLUMNS = 6;
/** Distinct key labels kept; further ones are booked under one label. */
const KEYS_MAX = 10_000;
const OTHER_KEYS = "…other";

interface Block {
  readonly numbers: Float64Array;
  readonly times: Float64Array;
  readonly durations: Float32Array;
  /** Six counts a line, in the order of `Tokens`. */
  readonly counts: Uint32Array;
  /** Ending, endpoint, stream and model, packed. */
  readonly facts: Uint16Array;
  readonly keys: Uint32Array;
  readonly clientIds: (string | null)[];
  /** Of a full block that was searched before. */
  index: BlockIndex | null;
}

export class Invoice {
  readonly #ids: AnswerIds;
  readonly #blocksMax: number;
  #blocks: Block[] = [];
  #droppedLines = 0;
  #totalCost = 0n;
  #length = 0;
  #keyNames: string[] = [];
  #keyIndexes = new Map<string, number>();

  constructor(linesMax: number, ids: AnswerIds) {
    this.#blocksMax = Math.max(1, Math.ceil(linesMax / BLOCK_LINES));
    this.#ids = ids;
  }

  append(entry: InvoiceEntry): void {
    const offset = this.#length % BLOCK_LINES;
    if (offset === 0) this.#startBlock();
    const block = this.#blocks.at(-1) as Block;
    block.numbers[offset] = entry.number;
    block.times[offset] = entry.atMs;
    block.durations[offset] = entry.durationMs;
    const start = offset * COUNT_COLUMNS;
    block.counts[start] = entry.input;
    block.counts[start + 1] = entry.cacheRead;
    block.counts[start + 2] = entry.cacheWrite5m;
    block.counts[start + 3] = entry.cacheWrite1h;
    block.counts[start + 4] = entry.output;
    block.counts[start + 5] = entry.reasoning;
    block.facts[offset] =
      ENDINGS.indexOf(entry.ended) |
      (ENDPOINTS.indexOf(entry.endpoint) << 2) |
      (entry.stream ? 16 : 0) |
      (simulatedModels.indexOf(entry.model) << 5);
    block.keys[offset] = this.#keyIndex(entry.apiKey);
    block.clientIds[offset] = entry.clientRequestId;
    this.#length++;
    this.#totalCost += costOf(entry.model, entry);
  }

  /** Lines after number `after` (0: from the oldest kept), at most `limit`, of one API key if `key` (its last characters) is given. */
  read(options: { readonly after?: number; readonly limit?: number; readonly key?: string } = {}): InvoiceLine[] {
    const { after = 0, limit = Number.POSITIVE_INFINITY, key } = options;
    const lines: InvoiceLine[] = [];
    for (let index = Math.max(after, this.#droppedLines); index < this.#length && lines.length < limit; index++) {
      const line = this.#line(index);
      if (key === undefined || line.apiKey.endsWith(key.slice(-4))) lines.push(line);
    }
    return lines;
  }

  /** The newest kept line with this answer id or client request id. */
  find(id: string): InvoiceLine | null {
    const number = this.#ids.numberOf(id);
    for (let position = this.#blocks.length - 1; position >= 0; position--) {
      const block = this.#blocks[position] as Block;
      const first = this.#droppedLines + position * BLOCK_LINES;
      const lines = Math.min(BLOCK_LINES, this.#length - first);
      if (lines === BLOCK_LINES) block.index ??= createBlockIndex(block.numbers, block.clientIds);
      const { index } = block;
      const byClient = index === null ? block.clientIds.lastIndexOf(id) : index.offsetOfClientId(id);
      const byNumber = index === null ? block.numbers.lastIndexOf(number, lines - 1) : index.offsetOfNumber(number);
      const own = byNumber >= 0 && this.#line(first + byNumber).id === id ? byNumber : -1;
      const offset = Math.max(byClient, own);
      if (offset >= 0) return this.#line(first + offset);
    }
    return null;
  }

  /** Lines ever written since the last reset, the dropped ones among them. */
  get length(): number {
    return this.#length;
  }

  get droppedLines(): number {
    return this.#droppedLines;
  }

  /** The cost of all lines ever written since the last reset, in nano-dollars. */
  totalCost(): bigint {
    return this.#totalCost;
  }

  reset(): void {
    this.#blocks = [];
    this.#droppedLines = 0;
    this.#totalCost = 0n;
    this.#length = 0;
    this.#keyNames = [];
    this.#keyIndexes = new Map();
  }

  #startBlock(): void {
    if (this.#blocks.length >= this.#blocksMax) {
      this.#blocks.shift();
      this.#droppedLines += BLOCK_LINES;
    }
    this.#blocks.push({
      numbers: new Float64Array(BLOCK_LINES),
      times: new Float64Array(BLOCK_LINES),
      durations: new Float32Array(BLOCK_LINES),
      counts: new Uint32Array(BLOCK_LINES * COUNT_COLUMNS),
      facts: new Uint16Array(BLOCK_LINES),
      keys: new Uint32Array(BLOCK_LINES),
      clientIds: [],
      index: null,
    });
  }

  #blockOf(index: number): Block {
    return this.#blocks[Math.floor((index - this.#droppedLines) / BLOCK_LINES)] as Block;
  }

  #line(index: number): InvoiceLine {
    const block = this.#blockOf(index);
    const offset = index % BLOCK_LINES;
    const facts = block.facts[offset] ?? 0;
    const endpoint = ENDPOINTS[(facts >> 2) & 3] ?? "chat";
    const model = simulatedModels[facts >> 5] ?? "";
    const [input = 0, cacheRead = 0, cacheWrite5m = 0, cacheWrite1h = 0, output = 0, reasoning = 0] =
      block.counts.subarray(offset * COUNT_COLUMNS, (offset + 1) * COUNT_COLUMNS);
    const tokens: Tokens = { input, cacheRead, cacheWrite5m, cacheWrite1h, output, reasoning };
    return {
      line: index + 1,
      id: this.#ids.idOf(block.numbers[offset] ?? 0, endpoint),
      clientRequestId: block.clientIds[offset] ?? null,
      apiKey: this.#keyNames[block.keys[offset] ?? 0] ?? "",
      model,
      endpoint,
      stream: (facts & 16) !== 0,
      atMs: block.times[offset] ?? 0,
      durationMs: block.durations[offset] ?? 0,
      ended: ENDINGS[facts & 3] ?? "fault",
      ...tokens,
      costNanoUsd: costOf(model, tokens),
    };
  }

  #keyIndex(apiKey: string, beyondMax = false): number {
    const known = this.#keyIndexes.get(apiKey);
    if (known !== undefined) return known;
    if (this.#keyNames.length >= KEYS_MAX && !beyondMax) return this.#keyIndex(OTHER_KEYS, true);
    this.#keyNames.push(apiKey);
    this.#keyIndexes.set(apiKey, this.#keyNames.length - 1);
    return this.#keyNames.length - 1;
  }
}
