/** Runs the npm that is at hand: the one that started us, else the one beside this Node, else the one on PATH. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Settings that keep an install the same whatever the user's own configuration says: development dependencies
 * included, nothing executed, engines not judged by the Node that merely runs npm, and a short patience offline.
 */
const SETTINGS = [
  "--ignore-scripts",
  "--include=dev",
  "--include=optional",
  "--global=false",
  "--dry-run=false",
  "--package-lock=true",
  "--engine-strict=false",
  "--audit=false",
  "--fund=false",
  "--update-notifier=false",
  "--loglevel=error",
  "--fetch-retries=2",
  "--fetch-retry-mintimeout=1000",
  "--fetch-retry-maxtimeout=5000",
];

/** Resolves to the exit code. npm's output goes to stderr. */
export function runNpm(args, cwd) {
  const cli = findNpmCli();
  const [command, ...prefix] = cli === null ? ["npm"] : [process.execPath, cli];
  const shell = cli === null && process.platform === "win32";
  return new Promise((resolve) => {
    const child = spawn(command, [...prefix, ...args, ...SETTINGS], { cwd, shell, stdio: ["ignore", 2, 2] });
    child.on("error", (error) => {
      process.stderr.write(`headgate: npm could not be started: ${error.message}\n`);
      resolve(127);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

function findNpmCli() {
  const started = process.env.npm_execpath ?? "";
  const beside = dirname(process.execPath);
  const candidates = [
    started.endsWith("npm-cli.js") ? started : "",
    join(beside, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
    join(beside, "node_modules", "npm", "bin", "npm-cli.js"),
  ];
  return candidates.find((path) => path !== "" && existsSync(path)) ?? null;
}
