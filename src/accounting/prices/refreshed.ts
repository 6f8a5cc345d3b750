/**
 * The price catalogue that an operator has taken since the release: a file in the data folder. It is written whole or
 * not at all, and only after it was checked; a file that was damaged since is refused rather than left out in silence.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HeadgateError } from "../../kernel/errors.ts";
import { checkCatalogueFile, renderCatalogueFile, type CatalogueFile } from "./catalogue-file.ts";
import { loadPriceCatalogue, pinnedCatalogueFile, type PriceCatalogue } from "./catalogue.ts";

/** The prices in use for a data folder. Throws `invalid_argument` for a taken catalogue that cannot be used. */
export function openPriceCatalogue(dataDir: string): PriceCatalogue {
  return loadPriceCatalogue(readRefreshedCatalogue(dataDir));
}

/** Where it is. */
function refreshedCataloguePath(dataDir: string): string {
  return join(dataDir, "prices.json");
}

/** `null` if none was taken. Throws `invalid_argument` for one that cannot be used. */
export function readRefreshedCatalogue(dataDir: string): CatalogueFile | null {
  const path = refreshedCataloguePath(dataDir);
  const text = readIfThere(path);
  if (text === null) return null;
  try {
    return checkCatalogueFile(parseJson(text), requiredLists());
  } catch (reason) {
    if (!(reason instanceof HeadgateError)) throw reason;
    const message = `${path}: ${reason.message} Take it again with \`headgate prices update\`, or remove it to use the prices of this release.`;
    throw new HeadgateError("invalid_argument", message, { cause: reason });
  }
}

/** Replaces the one there is. */
export function writeRefreshedCatalogue(dataDir: string, file: CatalogueFile): string {
  const path = refreshedCataloguePath(dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unfinished = `${path}.new`;
  writeFileSync(unfinished, renderCatalogueFile(file));
  renameSync(unfinished, path);
  return path;
}

/** Those that the release has: a provider whose list is missing would be without prices. */
export function requiredLists(): readonly string[] {
  return Object.keys(pinnedCatalogueFile().lists);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (reason) {
    const { code } = reason as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new HeadgateError("invalid_argument", `The price catalogue ${path} cannot be read.`, { cause: reason });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (reason) {
    throw new HeadgateError("invalid_argument", "It is not JSON.", { cause: reason });
  }
}
