/** Tenancy, allowances, ledger, records and the bank's books: everything that gateways share. */
import { bankTables } from "./0001-bank-tables.ts";
import { controlTables } from "./0001-control-tables.ts";
import { ledgerTables } from "./0001-ledger-tables.ts";

export const foundation: string = controlTables + ledgerTables + bankTables;
