/**
 * Keeps node_modules equal to package-lock.json. A stamp inside node_modules holds the hash of the lockfile it was
 * installed from; it is written last and goes when `npm ci` removes the folder, so an install that was cut short
 * is never taken for a whole one.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { runNpm } from "./npm.mjs";

export async function ensureDependencies({ project, home, say }) {
  const lockfile = await readFile(join(project, "package-lock.json"), "utf8");
  const hash = createHash("sha256").update(lockfile).digest("hex");
  const stamp = join(project, "node_modules", ".headgate-installed");
  if ((await readIfThere(stamp)) === hash) return;

  const install = async () => {
    if ((await readIfThere(stamp)) === hash) return;
    if (!(await installedByHand(project, lockfile))) {
      say("Installing the dependencies of package-lock.json (npm ci).");
      const code = await runNpm(["ci"], project);
      if (code !== 0) {
        throw new Failure(
          `Could not install the dependencies (npm ci ended with ${code}). ` +
            "Check the network and npm's registry and proxy settings, then run the command again.",
        );
      }
    }
    await writeFile(stamp, hash);
  };
  await withLock(join(home, "install.lock"), install, () => say("Waiting for another start that is installing."));
}

/** Whether an `npm ci` or `npm install` of somebody else has already left exactly what the lockfile names. */
async function installedByHand(project, lockfile) {
  const record = await readIfThere(join(project, "node_modules", ".package-lock.json"));
  if (record === null) return false;
  const installed = JSON.parse(record).packages;
  return Object.entries(JSON.parse(lockfile).packages).every(([path, wanted]) => {
    const found = installed[path];
    if (path === "" || (found === undefined && wanted.optional)) return true;
    return found !== undefined && found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

async function readIfThere(path) {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error;
  }
}
