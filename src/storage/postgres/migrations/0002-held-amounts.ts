import { text } from "./0001-text.ts";

/** What the requests of an owner hold, as its process last said: for people who look at a budget. */
export const heldAmounts: string = `ALTER TABLE allowance_owners ADD COLUMN held_amounts ${text};`;
