/**
 * Reads the data of the source of prices out of its npm package, unpacked in a folder. The package is a program, and
 * nobody has reviewed this release of it: it runs in a process of its own that may read that folder and do nothing else
 * (no network, no other file, no process, an empty environment), and what it prints is data to be checked.
 */
import { execFile } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { sourceLists, sourcePackage } from "../../../accounting/prices/convert.ts";
import { CliFailure } from "../../failure.ts";

export interface PackageData {
  readonly version: string;
  readonly copyright: string;
  /** Unchecked. */
  readonly providers: unknown;
}

const TIME_MAX_MS = 60_000;
const PRINTED_BYTES_MAX = 64 * 1024 * 1024;

/** Its arguments: the address of the package's module, and a JSON list of ids. */
const script = `
const { findProvider } = await import(process.argv[1]);
const ids = JSON.parse(process.argv[2]);
process.stdout.write(JSON.stringify(ids.map((providerId) => findProvider({ providerId }) ?? null)));
`;

/** `executable`: Node. Throws `file_unusable`. */
export async function readPackageData(folder: string, executable: string): Promise<PackageData> {
  const root = realpathOf(folder);
  const manifest = readManifest(root);
  const entry = pathToFileURL(join(root, "dist", "index.js")).href;
  const args = ["--permission", `--allow-fs-read=${root}/*`, "--input-type=module", "--eval", script, "--"];
  try {
    const { stdout } = await promisify(execFile)(executable, [...args, entry, JSON.stringify(sourceLists)], {
      cwd: root,
      env: {},
      timeout: TIME_MAX_MS,
      maxBuffer: PRINTED_BYTES_MAX,
    });
    return { ...manifest, providers: JSON.parse(stdout) as unknown };
  } catch (reason) {
    const lines = String((reason as { stderr?: unknown }).stderr ?? reason).split("\n");
    const why = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines[0] ?? "";
    const message = `${folder}: the prices in the package cannot be read (${why.trim()}). Another release of it may do.`;
    throw new CliFailure("file_unusable", message, { folder }, reason);
  }
}

function realpathOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (reason) {
    throw new CliFailure("file_unusable", `There is no ${folder}.`, { folder }, reason);
  }
}

function readManifest(folder: string): Pick<PackageData, "version" | "copyright"> {
  const path = join(folder, "package.json");
  const expected = `Give the folder of the unpacked npm package ${sourcePackage}, in which package.json lies, or a file of prices.`;
  try {
    const { name, version } = JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, unknown>>;
    if (name === sourcePackage && typeof version === "string") return { version, copyright: readCopyright(folder) };
  } catch (reason) {
    throw new CliFailure("file_unusable", `${path} cannot be read. ${expected}`, { folder }, reason);
  }
  throw new CliFailure("file_unusable", `${folder} is another package. ${expected}`, { folder });
}

/** Empty where the package does not say. */
function readCopyright(folder: string): string {
  try {
    return /^Copyright .*$/m.exec(readFileSync(join(folder, "LICENSE"), "utf8"))?.[0] ?? "";
  } catch {
    return "";
  }
}
