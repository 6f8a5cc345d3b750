/**
 * `npm test [-- paths and flags]`: Node's own test runner over this project's tests.
 *
 *   npm test                               everything but the folders named below
 *   npm test -- src/kernel                 the tests under a folder, or of one file
 *   npm test -- --test-name-pattern=ledger flags go to the runner
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, sep } from "node:path";

/** Too long, or in need of too much around them, for every run. */
const byName = ["test/overspend", "test/package", "test/soak"];
/** No test takes a tenth of it: one that waits for what does not come fails, instead of the whole run. */
const TEST_TIMEOUT_MS = 300_000;

const project = join(import.meta.dirname, "..");
const [flags, paths] = partition(process.argv.slice(2), (argument) => argument.startsWith("-"));
process.exitCode = runTests(paths.map(fromProject), flags);

function partition(values: readonly string[], isFirst: (value: string) => boolean): [string[], string[]] {
  return [values.filter(isFirst), values.filter((value) => !isFirst(value))];
}

function fromProject(path: string): string {
  return relative(project, join(process.cwd(), path)).split(sep).join("/");
}

function runTests(asked: readonly string[], flags: readonly string[]): number {
  const files = asked.length === 0 ? everyTest() : asked.flatMap(testsUnder);
  if (files.length === 0) {
    console.error(`No test files (*.test.ts) in ${asked.join(", ") || "src and test"}.`);
    return 1;
  }
  // More than there are processors: many tests wait for most of their time.
  const concurrency = `--test-concurrency=${availableParallelism() + 2}`;
  const timeout = `--test-timeout=${TEST_TIMEOUT_MS}`;
  const runner = ["--test", "--test-reporter=spec", concurrency, timeout, ...flags, ...files];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(project, ".node", "compile-cache") };
  const { status, signal } = spawnSync(process.execPath, runner, { cwd: project, env, stdio: "inherit" });
  if (signal !== null) console.error(`The test runner was stopped by ${signal}.`);
  return status ?? 1;
}

function everyTest(): string[] {
  const files = [...testsUnder("src"), ...testsUnder("test")];
  return files.filter((file) => !byName.some((folder) => file.startsWith(`${folder}/`)));
}

function testsUnder(path: string): string[] {
  if (path.endsWith(".test.ts")) return [path];
  const files = globSync(`${path === "" ? "." : path}/**/*.test.ts`, { cwd: project });
  return files.map((file) => file.split(sep).join("/")).toSorted();
}
