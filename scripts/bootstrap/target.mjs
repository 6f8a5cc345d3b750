/** Decides what to run: a file of this project and its arguments. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Failure } from "./failure.mjs";

/** `file` is absolute; `args` is what it finds in `process.argv` from index 2. */
export function planTarget(project, args) {
  const [first, second, ...rest] = args;
  if (first === "--tool") return { file: findTool(project, second), args: rest };
  if (first === "--script") return { file: existing(resolve(project, second ?? "")), args: rest };
  if (first === "test") return { file: existing(join(project, "scripts", "test.ts")), args: args.slice(1) };
  return { file: existing(join(project, "src", "main.ts")), args };
}

function existing(file) {
  if (existsSync(file)) return file;
  throw new Failure(`${file} does not exist in this checkout.`);
}

/** Looks a command up in the packages that package.json names; the command is called as its package is. */
function findTool(project, name) {
  const packages = { oxfmt: "oxfmt", oxlint: "oxlint", tsc: "typescript", knip: "knip", publint: "publint" };
  const folder = join(project, "node_modules", packages[name] ?? "");
  if (packages[name] === undefined)
    throw new Failure(`Unknown tool ${name}: one of ${Object.keys(packages).join(", ")}.`);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[name]);
}
