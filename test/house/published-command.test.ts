import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("the published command refuses a Node that is too old, and says which it needs", () => {
  const pretend = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.20.0"}})`;
  const command = join(import.meta.dirname, "..", "..", "bin", "headgate.js");
  const flags = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, command, "version"], { encoding: "utf8" });
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /headgate needs Node\.js 26 or later; this is 18\.20\.0/);
});
