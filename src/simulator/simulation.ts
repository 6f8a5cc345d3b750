/** What all requests of one simulator share: time, books, ids, the scripts seen, and who is running. */
import type { Clock } from "../kernel/clock.ts";
import { emptyAnswer, type Answer } from "./answer/answer.ts";
import { Random } from "./answer/random.ts";
import type { Fault } from "./faults.ts";
import { createAnswerIds, type AnswerIds } from "./ids.ts";
import { Invoice, type Ended } from "./invoice.ts";
import { Pacer } from "./delivery/pace.ts";
import { parseScript, type Script } from "./script.ts";

/** Scripts, fixed answers and fault counters kept; above it they are forgotten all at once. */
const SCRIPTS_MAX = 1000;

interface KnownScript {
  readonly script: Script;
  /** Requests so far, for `every` and `first`. */
  uses: number;
  /** The answer, if it depends on the script alone. */
  fixedAnswer: Answer;
}

/** A request on its way, as the usage lookup must know it. */
export interface Running {
  readonly id: string;
  readonly clientRequestId: string | null;
}

export type Counts = Record<Ended | "refused", number>;

export class Simulation {
  readonly clock: Clock;
  readonly pacer: Pacer;
  readonly ids: AnswerIds;
  readonly invoice: Invoice;
  readonly seed: number;
  /** Whether requests without an API key are refused. */
  readonly requireKey: boolean;
  readonly counts: Counts = { complete: 0, cancelled: 0, fault: 0, refused: 0 };
  /** Requests that are not answered at once. */
  readonly running: Set<Running> = new Set();
  readonly #defaultScript: string;
  readonly #scripts = new Map<string, KnownScript>();
  #latency: Random;
  #number = 0;

  constructor(
    clock: Clock,
    options: {
      readonly seed: number;
      readonly requireKey: boolean;
      readonly invoiceLinesMax: number;
      readonly defaultScript: string;
    },
  ) {
    this.clock = clock;
    this.pacer = new Pacer(clock);
    this.seed = options.seed;
    this.requireKey = options.requireKey;
    // Ids differ from one start to the next, answers do not.
    this.ids = createAnswerIds(options.seed ^ Math.floor(clock.wallMs()));
    this.invoice = new Invoice(options.invoiceLinesMax, this.ids);
    this.#defaultScript = options.defaultScript;
    this.#latency = new Random(options.seed);
  }

  nextNumber(): number {
    return ++this.#number;
  }

  /** The script of a model's name and header, with the memory that belongs to it. Throws `ScriptError`. */
  known(model: string, header: string | undefined): KnownScript {
    const key = header === undefined ? model : `${model}\n${header}`;
    const seen = this.#scripts.get(key);
    if (seen) return seen;
    const further = header === undefined ? [] : [header];
    const script =
      model.includes(":") || header !== undefined
        ? parseScript(model, ...further)
        : parseScript(model, this.#defaultScript);
    if (this.#scripts.size >= SCRIPTS_MAX) this.#scripts.clear();
    const known: KnownScript = { script, uses: 0, fixedAnswer: emptyAnswer };
    this.#scripts.set(key, known);
    return known;
  }

  /** The faults that strike this use of the script. */
  striking(known: KnownScript): readonly Fault[] {
    const { script } = known;
    known.uses++;
    if (script.faults.length === 0) return script.faults;
    const strikes = known.uses % script.every === 0 && (script.first === 0 || known.uses <= script.first);
    return strikes ? script.faults : [];
  }

  /** Where latencies come from: the script's seed makes them the same for every request. */
  latency(script: Script): Random {
    return script.seed === null ? this.#latency : new Random(this.seed ^ script.seed);
  }

  reset(): void {
    this.invoice.reset();
    this.#scripts.clear();
    this.#latency = new Random(this.seed);
    Object.assign(this.counts, { complete: 0, cancelled: 0, fault: 0, refused: 0 });
  }
}
