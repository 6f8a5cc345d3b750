/**
 * `npm run generate` writes the files that are made from declarations in src/; with `--check` it writes nothing and
 * fails if one of them is not what it would write. Adding a generated file is one line in `generated`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderCliReference } from "../src/cli/shell/cli-reference.ts";
import { renderConfigSchema } from "../src/config/render/json-schema.ts";
import { renderConfigReference } from "../src/config/render/reference.ts";
import { renderErrorReference } from "./generate/error-reference.ts";
import { renderFaultOutcomes } from "./generate/fault-outcomes.ts";
import { renderFaultReference } from "./generate/fault-reference.ts";
import { renderHeaderReference } from "./generate/header-reference.ts";
import { renderProviderReference } from "./generate/provider-reference.ts";

interface Generated {
  /** From the root of the project. */
  readonly path: string;
  /** The whole file, ending in a line feed. Must not depend on time, machine or order of object keys at run time. */
  readonly render: () => string;
}

const generated: readonly Generated[] = [
  { path: "schema/config.schema.json", render: renderConfigSchema },
  { path: "docs/reference/configuration.md", render: renderConfigReference },
  { path: "docs/reference/cli.md", render: renderCliReference },
  { path: "docs/reference/errors.md", render: renderErrorReference },
  { path: "docs/reference/faults.md", render: renderFaultOutcomes },
  { path: "docs/reference/headers.md", render: renderHeaderReference },
  { path: "docs/reference/providers.md", render: renderProviderReference },
  { path: "docs/reference/simulator-faults.md", render: renderFaultReference },
];

const project = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");
const stale = generated.filter(({ path, render }) => readIfThere(join(project, path)) !== render());

for (const { path, render } of stale) {
  if (check) console.error(`${path} is not what its source says. Run \`npm run generate\` and commit the result.`);
  else write(path, render());
}
console.log(`${generated.length} generated files, ${stale.length} ${check ? "stale" : "written"}.`);
process.exitCode = check && stale.length > 0 ? 1 : 0;

function write(path: string, text: string): void {
  const file = join(project, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${path}`);
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
