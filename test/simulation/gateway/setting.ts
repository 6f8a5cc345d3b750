/** What all processes of a world have in common, and where each one lives. */
import type { IdSource } from "../../../src/kernel/ids.ts";
import type { Auditor } from "../checks/auditor.ts";
import type { Violation } from "../checks/violation.ts";
import type { ModelBank } from "../model/bank.ts";
import type { Control } from "../model/control.ts";
import type { Journal } from "../model/journal.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { Agenda } from "../world/agenda.ts";
import type { ClockFaults } from "../world/life.ts";
import type { Link, Network } from "../world/network.ts";
import type { Random } from "../world/random.ts";
import type { Trace } from "../world/trace.ts";
import type { Counts } from "../../support/seeds/counts.ts";

export interface Setting {
  readonly scenario: Scenario;
  readonly agenda: Agenda;
  readonly network: Network;
  readonly control: Control;
  readonly bank: ModelBank;
  readonly ledger: Ledger;
  readonly auditor: Auditor;
  readonly random: Random;
  readonly ids: IdSource;
  readonly trace: Trace;
  readonly counts: Counts;
  readonly violated: (violation: Violation) => void;
}

/** Where one process at a time lives. Its journal outlives the process, and is shared by all places of one machine. */
export interface Place {
  readonly name: string;
  readonly journal: Journal;
  readonly link: Link;
  readonly clock: ClockFaults;
  /** The machine is gone for good, and its journal with it. */
  lost: boolean;
}
