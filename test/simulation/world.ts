/** A simulated world, made from its seed: everything in it, wired, and what will befall it. */
import { Auditor } from "./checks/auditor.ts";
import type { RefusalRules } from "./checks/refusal-checks.ts";
import type { Violation } from "./checks/violation.ts";
import { Fleet } from "./fleet.ts";
import { Counts } from "../support/seeds/counts.ts";
import type { Setting } from "./gateway/setting.ts";
import { ModelBank } from "./model/bank.ts";
import { Control } from "./model/control.ts";
import { Ledger } from "./model/ledger.ts";
import { changeSomething } from "./scenario/operator.ts";
import { drawScenario, type PlannedMishap, type Scenario } from "./scenario/scenario.ts";
import { Agenda } from "./world/agenda.ts";
import { Network } from "./world/network.ts";
import { Random } from "./world/random.ts";
import { Trace } from "./world/trace.ts";

const BANK_JUMP_MS_MAX = 3_000;

export class World {
  readonly scenario: Scenario;
  readonly agenda: Agenda = new Agenda();
  readonly counts: Counts = new Counts();
  readonly trace: Trace;
  readonly auditor: Auditor;
  readonly bank: ModelBank;
  readonly network: Network;
  readonly fleet: Fleet;
  readonly #control: Control;
  readonly #random: Random;
  #bankSkewMs = 0;
  #violation: Violation | null = null;

  constructor(seed: number, tell: ((line: string) => void) | null) {
    const random = new Random(seed);
    const { agenda, counts } = this;
    const nowMs = (): number => agenda.nowMs;
    this.scenario = drawScenario(random);
    this.#random = random.fork();
    this.trace = new Trace(agenda, tell);
    this.#control = new Control(this.scenario.allowances);
    this.network = new Network(agenda, random.fork(), this.scenario.network);
    const bankJumps = this.scenario.mishaps.some(({ kind }) => kind === "bank-jump");
    this.auditor = new Auditor({ control: this.#control, rules: rulesOf(this.scenario), bankJumps, nowMs });
    this.bank = new ModelBank(this.#control, () => this.#bankMs(), this.auditor.witness);
    this.auditor.watch(this.bank);
    const ledger = new Ledger(
      (moves) => this.bank.applyMoves(moves),
      (closing) => this.auditor.delivered(closing),
    );
    const setting: Setting = {
      scenario: this.scenario,
      agenda,
      network: this.network,
      control: this.#control,
      bank: this.bank,
      ledger,
      auditor: this.auditor,
      random: random.fork(),
      ids: numberedIds(),
      trace: this.trace,
      counts,
      violated: (violation) => this.violate(violation),
    };
    this.fleet = new Fleet(setting);
  }

  /** The first thing that went against the invariants. */
  get violation(): Violation | null {
    return this.#violation;
  }

  violate(violation: Violation): void {
    this.#violation ??= violation;
  }

  /** Processes start; traffic and mishaps are planned. */
  begin(): void {
    this.fleet.start();
    for (const mishap of this.scenario.mishaps) this.agenda.after(mishap.atMs, () => this.#suffer(mishap));
  }

  heal(): void {
    this.trace.note("world", "heals");
    this.network.heal();
    this.fleet.heal();
  }

  #suffer(mishap: PlannedMishap): void {
    if (mishap.kind === "bank-jump") {
      this.#bankSkewMs += (this.#random.unit() * 2 - 1) * BANK_JUMP_MS_MAX;
      this.trace.note("bank", `its clock jumps to ${this.#bankMs()}`);
    } else if (mishap.kind === "operator") {
      const { id, what } = changeSomething(this.#control, this.#random, this.#bankMs());
      this.trace.note("operator", `${what} ${id}`);
      this.bank.applyLimit(id);
      this.fleet.announceChange();
    } else {
      this.fleet.suffer(mishap);
      return;
    }
    this.counts.add(`mishaps: ${mishap.kind}`);
  }

  #bankMs(): number {
    return Math.floor(this.scenario.originMs + this.agenda.nowMs + this.#bankSkewMs);
  }
}

/** A request waits for a recall at one allowance after the other, but never longer than this. */
const WAIT_MS_MAX = 5_000;

/** With nothing going wrong a refusal rests on what was true when others were last asked to give back what is idle. */
function rulesOf({ calm, recallWaitMs, pollMs }: Scenario): RefusalRules {
  const lookBackMs = calm ? recallWaitMs + 3 * pollMs + 500 : 60_000;
  return { calm, lookBackMs, patienceMs: WAIT_MS_MAX + 2 * pollMs };
}

function numberedIds(): Setting["ids"] {
  let last = 0;
  return { next: (prefix) => `${prefix}-${++last}` };
}
