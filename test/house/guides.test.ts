/** Configuration that the documents show is configuration that the gateway takes. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkConfig } from "../../src/config/check.ts";
import { renderProblems } from "../../src/config/file/problem.ts";
import { providerSpecs } from "../../src/providers/catalogue.ts";

const guides = join(import.meta.dirname, "..", "..", "docs", "guides");

/** Every variable that a guide may name holds what its name promises; those that set options are not set. */
const values: readonly (readonly [name: RegExp, value: string])[] = [
  [/_KEY|_KEY_[A-Z]$/, "sk-test-not-a-key"],
  [/^DATABASE_URL$/, "postgres://headgate:not-a-password@db.example:5432/headgate"],
  [/^(?!HEADGATE_).*_SECRET$/, `whsec_${Buffer.alloc(32).toString("base64")}`],
];
const env = new Proxy<Record<string, string>>(
  {},
  { get: (_, asked) => values.find(([name]) => name.test(String(asked)))?.[1] },
);

function yamlBlocks(text: string): readonly string[] {
  return [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, block = ""]) => block);
}

for (const name of readdirSync(guides)) {
  const blocks = yamlBlocks(readFileSync(join(guides, name), "utf8"));
  for (const [index, block] of blocks.entries()) {
    test(`docs/guides/${name}: file ${index + 1} of ${blocks.length} is accepted`, () => {
      const text = block.replace(/file:\S+/, "env:SOME_KEY");
      const file = { text, name, path: join(guides, name) };
      const checked = checkConfig({ file, env, flags: {}, workingDirectory: guides, knownProviders: providerSpecs });
      assert.equal(checked.ok ? "" : renderProblems(checked.problems), "");
    });
  }
}
