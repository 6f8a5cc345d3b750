/** Tenancy, allowances, ledger, records, the bank's books and kept answers: everything that gateways share. */
import { answerTables } from "./0001-answer-tables.ts";
import { bankTables } from "./0001-bank-tables.ts";
import { controlTables } from "./0001-control-tables.ts";
import { ledgerTables } from "./0001-ledger-tables.ts";

export const foundation: string = controlTables + ledgerTables + bankTables + answerTables;
