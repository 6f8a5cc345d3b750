/** `npm run build`: the published form of src/ in dist/, JavaScript with its declarations, tests left out. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

const project = join(import.meta.dirname, "..");
rmSync(join(project, "dist"), { recursive: true, force: true });
const compiler = [join(project, "scripts", "bootstrap.mjs"), "--tool", "tsc", "-p", "tsconfig.build.json"];
process.exitCode = spawnSync(process.execPath, compiler, { cwd: project, stdio: "inherit" }).status ?? 1;
