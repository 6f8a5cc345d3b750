/**
 * `npm test [-- paths and flags]`: Node's own test runner over this project's tests.
 *
 *   npm test                               everything but the suites of their own below
 *   npm test -- src/kernel                 the tests under a folder, or of one file
 *   npm test -- --test-name-pattern=ledger flags go to the runner
 *   npm test -- --suite faults             one suite; one whose folder is not there yet says so and ends well
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, sep } from "node:path";

/** Folders that are too long, or need too much around them, for every run. */
const separate = ["test/package", "test/soak"];
const suites = ["faults", "simulation", "package", "soak"];

const project = join(import.meta.dirname, "..");
const { folders, flags } = readArguments(process.argv.slice(2));

const missing = folders.find((folder) => !existsSync(join(project, folder)));
if (missing !== undefined && process.argv.includes("--suite")) {
  console.log(`skip: there is no ${missing} yet.`);
} else {
  process.exitCode = runTests(folders, flags);
}

function readArguments(args: readonly string[]): { folders: string[]; flags: string[] } {
  const folders: string[] = [];
  const flags: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (argument === "--suite") folders.push(suiteFolder(args[++index]));
    else if (argument.startsWith("-")) flags.push(argument);
    else folders.push(relative(project, join(process.cwd(), argument)).split(sep).join("/"));
  }
  return { folders, flags };
}

function suiteFolder(name: string | undefined): string {
  if (name !== undefined && suites.includes(name)) return `test/${name}`;
  console.error(`--suite takes one of ${suites.join(", ")}.`);
  process.exit(2);
}

function runTests(asked: readonly string[], flags: readonly string[]): number {
  const files = asked.length === 0 ? everyTest() : asked.flatMap(testsUnder);
  if (files.length === 0) {
    console.error(`No test files (*.test.ts) in ${asked.join(", ") || "src and test"}.`);
    return 1;
  }
  const concurrency = `--test-concurrency=${Math.max(2, availableParallelism())}`;
  const runner = ["--test", "--test-reporter=spec", concurrency, ...flags, ...files];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(project, ".node", "compile-cache") };
  const { status, signal } = spawnSync(process.execPath, runner, { cwd: project, env, stdio: "inherit" });
  if (signal !== null) console.error(`The test runner was stopped by ${signal}.`);
  return status ?? 1;
}

function everyTest(): string[] {
  const files = [...testsUnder("src"), ...testsUnder("test")];
  return files.filter((file) => !separate.some((folder) => file.startsWith(`${folder}/`)));
}

function testsUnder(path: string): string[] {
  if (path.endsWith(".test.ts")) return [path];
  const files = globSync(`${path === "" ? "." : path}/**/*.test.ts`, { cwd: project });
  return files.map((file) => file.split(sep).join("/")).toSorted();
}
