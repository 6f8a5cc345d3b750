/**
 * A price catalogue that may take the place of the one in use: from a file, from an unpacked package, or from npm. It
 * is checked whole; nothing of it is in force yet.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  checkCatalogueFile,
  type CatalogueFile,
  type CatalogueSource,
} from "../../../accounting/prices/catalogue-file.ts";
import { convertSource, sourcePackage } from "../../../accounting/prices/convert.ts";
import { requiredLists } from "../../../accounting/prices/refreshed.ts";
import type { CliContext } from "../../context.ts";
import { CliFailure } from "../../failure.ts";
import { readPackageData } from "./package-data.ts";

const FETCH_TIME_MAX_MS = 180_000;

/** `from`: a file or folder, relative to the working directory; `null`: npm is asked. Throws `file_unusable`, `fetch_failed`, `invalid_argument`. */
export async function readCandidate(from: string | null, dataDir: string, context: CliContext): Promise<CatalogueFile> {
  if (from === null) return fetchCandidate(dataDir, context);
  const path = resolve(context.cwd, from);
  return isFolder(path) ? readPackage(path, context) : readFile(path, context);
}

async function readPackage(folder: string, context: CliContext): Promise<CatalogueFile> {
  const { providers, version, copyright } = await readPackageData(folder, context.runtime.executable);
  return convertSource(providers, sourceOf(version, copyright, context));
}

/** Our own form, as another gateway keeps it, or the source's data (a list of providers). */
function readFile(path: string, context: CliContext): CatalogueFile {
  const bytes = readFileSync(path);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch (reason) {
    throw new CliFailure("file_unusable", `${path} is not JSON.`, { file: path }, reason);
  }
  if (!Array.isArray(json)) return checkCatalogueFile(json, requiredLists());
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  return convertSource(json, sourceOf(`file-${digest}`, "", context));
}

function sourceOf(version: string, copyright: string, { clock }: CliContext): CatalogueSource {
  const date = new Date(clock.wallMs()).toISOString().slice(0, 10);
  return { package: sourcePackage, version, license: "MIT", copyright, date };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (reason) {
    throw new CliFailure("file_unusable", `There is no ${path}.`, { file: path }, reason);
  }
}

/** The newest release, unpacked by npm beside the store and removed again. None of its scripts run. */
async function fetchCandidate(dataDir: string, context: CliContext): Promise<CatalogueFile> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(dataDir, "prices-"));
  try {
    await install(folder, context);
    return await readPackage(join(folder, "node_modules", ...sourcePackage.split("/")), context);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function install(folder: string, { env }: CliContext): Promise<void> {
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--no-save", "--prefix", folder];
  try {
    await promisify(execFile)("npm", ["install", ...options, `${sourcePackage}@latest`], {
      cwd: folder,
      env: { ...env },
      timeout: FETCH_TIME_MAX_MS,
    });
  } catch (reason) {
    const missing = (reason as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing ? "there is no npm on the PATH" : firstLine((reason as { stderr?: unknown }).stderr);
    const message = `npm could not fetch ${sourcePackage}: ${why}. Fetch it where npm can, with \`npm pack ${sourcePackage}\`, unpack it, and give the folder with --from.`;
    throw new CliFailure("fetch_failed", message, {}, reason);
  }
}

function firstLine(stderr: unknown): string {
  const lines = typeof stderr === "string" ? stderr.split("\n") : [];
  return (lines.find((line) => line.trim() !== "") ?? "it did not say why").trim().replace(/\.$/, "");
}
