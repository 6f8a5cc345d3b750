import { releaseOf } from "../../../accounting/prices/catalogue.ts";
import type { CatalogueFile } from "../../../accounting/prices/catalogue-file.ts";
import { type CatalogueChange, compareCatalogues } from "../../../accounting/prices/compare.ts";
import { readRefreshedCatalogue, writeRefreshedCatalogue } from "../../../accounting/prices/refreshed.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { renderTable } from "../../table.ts";
import { loadSettings } from "../../workspace.ts";
import { readCandidate } from "./candidate.ts";
import { firstOf } from "./price-view.ts";

export interface DiffOptions {
  readonly match: string | null;
  readonly from: string | null;
}

export type UpdateOptions = Pick<DiffOptions, "from">;

export async function diff(invocation: Invocation<DiffOptions>): Promise<ExitCode> {
  const { options, output } = invocation;
  const { candidate, inUse } = await openCandidate(invocation, options.from);
  const wanted = options.match?.toLowerCase() ?? "";
  const changes = compareCatalogues(inUse, candidate).filter(({ list, model }) => `${list}/${model}`.includes(wanted));
  output.result({ ...describeFiles(inUse, candidate), changes }, () => renderChanges(changes));
  return exitCodes.ok;
}

export async function update(invocation: Invocation<UpdateOptions>): Promise<ExitCode> {
  const { options, output } = invocation;
  const { candidate, inUse, dataDir } = await openCandidate(invocation, options.from);
  refuseOlder(candidate, inUse);
  const changes = compareCatalogues(inUse, candidate);
  const file = writeRefreshedCatalogue(dataDir, candidate);
  output.result({ ...describeFiles(inUse, candidate), file, changes: changes.length }, () => {
    const what = changes.length === 1 ? "one change" : `${changes.length} changes`;
    return `${releaseOf(candidate)} is in ${file}: ${what} to ${releaseOf(inUse)}.\nA running gateway uses it from its next reload (SIGHUP) or start on.\n`;
  });
  return exitCodes.ok;
}

interface Candidate {
  readonly candidate: CatalogueFile;
  readonly inUse: CatalogueFile;
  readonly dataDir: string;
}

async function openCandidate(invocation: Invocation<unknown>, from: string | null): Promise<Candidate> {
  const { dataDir } = loadSettings(invocation).config.storage;
  const inUse = readInUse(dataDir, invocation);
  return { candidate: await readCandidate(from, dataDir, invocation.context), inUse, dataDir };
}

/** A damaged one is about to be replaced, so it is compared with what the release has. */
function readInUse(dataDir: string, { output }: Invocation<unknown>): CatalogueFile {
  try {
    return firstOf(readRefreshedCatalogue(dataDir));
  } catch (reason) {
    if (!(reason instanceof HeadgateError)) throw reason;
    output.note(`warning: ${reason.message}`);
    return firstOf(null);
  }
}

/** A release is older by its number, whenever it was taken; other data has no order but that of the days it was taken on. */
function refuseOlder(candidate: CatalogueFile, inUse: CatalogueFile): void {
  const [next, now] = [releaseNumbers(candidate), releaseNumbers(inUse)];
  const place = next?.findIndex((number, index) => number !== now?.[index]) ?? -1;
  const isOlder =
    next && now ? place >= 0 && (next[place] ?? 0) < (now[place] ?? 0) : candidate.source.date < inUse.source.date;
  if (!isOlder) return;
  const message = `${releaseOf(candidate)} of ${candidate.source.date} is older than ${releaseOf(inUse)} of ${inUse.source.date}, which is in use. Take a newer one; for single models write prices.overrides.`;
  throw new HeadgateError("invalid_argument", message, { param: "--from" });
}

/** `0.1.8` as numbers; `null` for what is no release. */
function releaseNumbers({ source }: CatalogueFile): readonly number[] | null {
  return /^\d+\.\d+\.\d+$/.test(source.version) ? source.version.split(".").map(Number) : null;
}

function describeFiles(inUse: CatalogueFile, candidate: CatalogueFile): Readonly<Record<string, unknown>> {
  const describe = (file: CatalogueFile) => ({ release: releaseOf(file), date: file.source.date });
  return { inUse: describe(inUse), candidate: describe(candidate) };
}

function renderChanges(changes: readonly CatalogueChange[]): string {
  if (changes.length === 0) return "No price would change.\n";
  return renderTable(changes, [
    { title: "model", cell: ({ list, model }) => `${list}/${model}` },
    { title: "change", cell: ({ kind }) => kind },
    { title: "from", cell: ({ before }) => before ?? "-" },
    { title: "to", cell: ({ after }) => after ?? "-" },
  ]);
}
