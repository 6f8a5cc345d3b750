/** Commands and code that guides show do what the guides say: each guide is followed from its first line to its last. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { signWebhook } from "../../src/limits/alerts/webhook.ts";
import { openDatabase } from "../../src/storage/storage.ts";
import { createTestBank } from "../contract/bank-place.ts";
import { accountOf } from "../contract/bank-samples.ts";
import { createTestCli, type TestCli } from "../support/cli.ts";
import { windowAt } from "../../src/storage/escrow/calendar.ts";

const budgets = readFileSync(join(import.meta.dirname, "..", "..", "docs", "guides", "budgets.md"), "utf8");

function blocksOf(text: string, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, found, block = ""]) =>
    found === language ? [block] : [],
  );
}

test("every command of the guide on budgets runs, in the order of the page", async () => {
  using cli = createTestCli();
  await cli.run("tenant", "create", "default");
  await cli.run("project", "create", "default");
  const commands = blocksOf(budgets, "").flatMap((block) => block.trim().split("\n"));
  assert.ok(commands.length > 15);
  for (const command of commands) {
    if (command.includes("suspense resolve")) await abandonGrant(cli, "monthly");
    const words = (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));
    const [program, ...args] = words.map((word) => (word === "OVERRIDE" ? "" : word));
    assert.equal(program, "headgate", command);
    const given = args.includes("") ? args.with(args.indexOf(""), await firstOverride(cli)) : args;
    const { exitCode, stderr } = await cli.run(...given);
    assert.equal(exitCode, 0, `${command}: ${stderr}`);
  }
});

test("the signature check that the guide on budgets shows takes what the gateway signs, and nothing else", async () => {
  const [source = ""] = blocksOf(budgets, "js");
  const code = `data:text/javascript,${encodeURIComponent(source)}`;
  const { verify } = (await import(code)) as {
    verify(secret: string, headers: Readonly<Record<string, string>>, body: string): boolean;
  };
  const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
  const [body] = blocksOf(budgets, "json");
  assert.ok(body !== undefined);
  const nowS = Math.floor(Date.now() / 1000);
  const headersAt = (timestampS: number): Readonly<Record<string, string>> => ({
    "webhook-id": "alt_1",
    "webhook-timestamp": String(timestampS),
    "webhook-signature": `v1,c3BvaWx0 ${signWebhook(secret, "alt_1", timestampS, body)}`,
  });
  assert.equal(verify(secret, headersAt(nowS), body), true);
  assert.equal(verify(secret, headersAt(nowS), `${body} `), false);
  assert.equal(verify(secret, { ...headersAt(nowS), "webhook-id": "alt_2" }, body), false);
  assert.equal(verify(`whsec_${Buffer.alloc(32, 6).toString("base64")}`, headersAt(nowS), body), false);
  assert.equal(verify(secret, headersAt(nowS - 301), body), false);
});

async function firstOverride(cli: TestCli): Promise<string> {
  const { overrides } = await cli.json<{ overrides: { id: string }[] }>("budget", "overrides");
  return overrides[0]?.id ?? assert.fail("there is no override");
}

/** A gateway process draws from an allowance and is not heard of again. */
async function abandonGrant(cli: TestCli, allowance: string): Promise<void> {
  const shown = await cli.json<{ id: string; window: "month"; timeZone: string }>("budget", "show", allowance);
  const db = openDatabase({ dataDir: join(cli.folder, ".headgate"), durability: "process" });
  const time = { nowMs: Date.now() };
  const bank = createTestBank(db, time);
  const account = accountOf(shown.id, windowAt(shown.window, shown.timeZone, time.nowMs));
  await bank.register("own_1", "ins_1", 1000);
  await bank.draw("own_1", [{ account, sequence: 1, need: 5n, want: 5n, refusals: 0 }]);
  time.nowMs += 2000;
  await bank.reap();
  await db.destroy();
}
