/** The tour in README.md works as it is written: its shell blocks are run, in order, against the gateway it starts. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { startServer } from "./running-server.ts";

const project = join(import.meta.dirname, "..", "..");
const readme = readFileSync(join(project, "README.md"), "utf8");
const documentedUrl = "http://127.0.0.1:4000";

/** The text of the blocks opened by three backquotes and `sh`, then this marker. */
function blocks(marker: string): string[] {
  return [...readme.matchAll(/^```sh (\S+)\n([^]*?)^```$/gm)].flatMap((match) =>
    match[1] === marker ? [match[2] ?? ""] : [],
  );
}

describe("the tour in README.md", () => {
  test("has one command that starts the gateway, and steps", () => {
    assert.deepEqual(blocks("tour=server"), ["npm start\n"]);
    assert.ok(blocks("tour").length >= 6);
  });

  test("can be followed from top to bottom", async () => {
    const folder = mkdtempSync(join(tmpdir(), "headgate-tour-"));
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
    const bootstrap = join(project, "scripts", "bootstrap.mjs");
    const server = cleanup.use(startServer(process.execPath, [bootstrap, "serve", "--port", "0"], folder));
    const { url, key } = await server.ready();
    const environment = { ...process.env, HEADGATE_KEY: key, HEADGATE_DATA_DIR: join(folder, ".headgate") };

    const outputs: string[] = [];
    for (const block of blocks("tour")) {
      const script = `set -euo pipefail\n${block.replaceAll(documentedUrl, url)}`;
      const { stdout } = await promisify(execFile)("bash", ["-c", script], { cwd: project, env: environment });
      outputs.push(stdout);
    }
    const [stream, models, broken, translated, message, usage, keys] = outputs;
    assert.match(stream ?? "", /data: \{[^]*data: \[DONE\]/);
    assert.match(models ?? "", /simulator\/sim-chat/);
    assert.match(broken ?? "", /stream_truncated/);
    assert.doesNotMatch(broken ?? "", /\[DONE\]/);
    assert.match(translated ?? "", /"object":"chat\.completion"/);
    assert.match(message ?? "", /"type":"message"[^]*"stop_reason":"end_turn"/);
    assert.match(usage ?? "", /simulator\/sim-chat/);
    assert.match(usage ?? "", /simulator-anthropic\/sim-claude/);
    assert.match(keys ?? "", /\bhg-[0-9A-Za-z]{43}\b[^]*alice/);
  });
});
