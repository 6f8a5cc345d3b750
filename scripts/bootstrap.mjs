/**
 * The way in: `npm start`, `npm test` and every other `npm run` go through this file, on whatever Node is installed.
 *
 * It is plain JavaScript that runs on Node 18. It makes sure that there is a Node that can run TypeScript sources
 * and that the dependencies of package-lock.json are in place, then runs the real thing. Where nothing is missing
 * that costs a few milliseconds and touches no network. What it says goes to stderr: stdout belongs to the program.
 *
 *   bootstrap.mjs <command> …         the command line of Headgate: src/main.ts
 *   bootstrap.mjs test …              the test runner: scripts/test.ts
 *   bootstrap.mjs --script <file> …   any script of this project
 *   bootstrap.mjs --tool <name> …     a command of a development dependency
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDependencies } from "./bootstrap/dependencies.mjs";
import { Failure } from "./bootstrap/failure.mjs";
import { launch } from "./bootstrap/launch.mjs";
import { ensureRuntime } from "./bootstrap/runtime.mjs";
import { planTarget } from "./bootstrap/target.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (text) => process.stderr.write(`headgate: ${text}\n`);

try {
  const node = await ensureRuntime({
    home: join(project, ".node"),
    running: { version: process.versions.node, path: process.execPath },
    platform: `${process.platform}-${process.arch}`,
    say,
  });
  await ensureDependencies({ project, home: join(project, ".node"), say });
  const target = planTarget(project, process.argv.slice(2));
  await launch({ node, running: process.execPath, ...target });
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  say(error.message);
  process.exitCode = 1;
}
