/** The table that the guide to reliability promises for its configuration is what callers get. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { checkConfig } from "../../src/config/check.ts";
import { providerSpecs } from "../../src/providers/catalogue.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send, type Reply } from "../support/simulator-client.ts";

const guides = join(import.meta.dirname, "..", "..", "docs", "guides");
const guide = readFileSync(join(guides, "reliability.md"), "utf8").split("## Trying it")[1] ?? "";

let place: TestGateway;
before(async () => {
  place = await startTestGateway();
  const text = /^```yaml\n([^]*?)^```$/m.exec(guide)?.[1] ?? "";
  const file = { text, name: "reliability.md", path: join(guides, "reliability.md") };
  const checked = checkConfig({ file, env: {}, flags: {}, workingDirectory: guides, knownProviders: providerSpecs });
  assert.ok(checked.ok);
  place.gateway.replaceConfig({ ...place.gateway.config, models: checked.loaded.config.models });
});
after(() => place[Symbol.asyncDispose]());

/** Of the table: model, status, and what the answer is said to be. */
const rows = [...guide.matchAll(/^\| `([a-z-]+)` \| (\d+)(.*) \|$/gm)].map(
  ([, model = "", status = "", says = ""]) => ({
    model,
    status: Number(status),
    says,
  }),
);

function ask(model: string): Promise<Reply> {
  return send(`${place.url}/v1/chat/completions`, {
    headers: { authorization: `Bearer ${place.key}` },
    body: { model, stream: true, messages: [{ role: "user", content: "Hi" }] },
  });
}

test("the guide's table has a line for each of its models", () => {
  assert.deepEqual(rows.map(({ model }) => model).toSorted(), Object.keys(place.gateway.config.models).toSorted());
});

for (const { model, status, says } of rows) {
  test(`${model} answers ${status}${says}`, async () => {
    const reply = await ask(model);
    assert.equal(reply.status, status, reply.text);
    for (const [, name = "", value] of says.matchAll(/`([a-z-]+): ([^`]+)`/g)) assert.equal(reply.headers[name], value);
    if (says.includes("whole")) assert.match(reply.text, /data: \[DONE\]\n\n$/);
    const [, code] = /the error `(\w+)`/.exec(says) ?? [];
    if (code === undefined) return;
    assert.ok(reply.text.includes(`"code":"${code}"`));
    assert.doesNotMatch(reply.text, /\[DONE\]/);
  });
}
