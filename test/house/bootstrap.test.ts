import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BootstrapProject } from "./bootstrap-project.ts";

const old = "20.1.0";

function said(line: string): { command: string; rest: string[]; pid: number; node: string } {
  return JSON.parse(line);
}

describe("bootstrap on a current Node", () => {
  test("is the program itself: same process, same arguments, its exit code", async () => {
    using project = new BootstrapProject();
    const run = project.start(["exit", "5", "--flag"]);
    const { code, stdout } = await run.ended();
    const { command, rest, pid } = said(stdout);
    assert.deepEqual(
      { code, command, rest, pid },
      { code: 5, command: "exit", rest: ["5", "--flag"], pid: run.process.pid },
    );
  });

  test("installs dependencies once, and says so on stderr only", async () => {
    using project = new BootstrapProject();
    const first = await project.start(["exit", "0"]).ended();
    assert.match(first.stderr, /npm ci/);
    assert.equal(first.stdout.split("\n").length, 1);
    const second = await project.start(["exit", "0"]).ended();
    assert.equal(second.stderr, "");
    assert.deepEqual(project.npmCalls(), ["ci"]);
  });

  test("installs again when the lockfile has changed", async () => {
    using project = new BootstrapProject();
    await project.start(["exit", "0"]).ended();
    project.writeLockfile("2.0.0");
    await project.start(["exit", "0"]).ended();
    assert.deepEqual(project.npmCalls(), ["ci", "ci"]);
  });

  test("takes over what an npm ci by hand has installed, unless it is something else", async () => {
    using project = new BootstrapProject();
    mkdirSync(join(project.folder, "node_modules"));
    const record = join(project.folder, "node_modules", ".package-lock.json");
    writeFileSync(record, readFileSync(join(project.folder, "package-lock.json")));
    assert.equal((await project.start(["exit", "0"]).ended()).code, 0);
    assert.deepEqual(project.npmCalls(), []);
    project.writeLockfile("2.0.0");
    await project.start(["exit", "0"]).ended();
    assert.deepEqual(project.npmCalls(), ["ci"]);
  });

  test("does not start the program on dependencies that could not be installed", async () => {
    using project = new BootstrapProject();
    const { code, stdout, stderr } = await project.start(["exit", "0"], null, { FAKE_NPM_EXIT: "1" }).ended();
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /Could not install the dependencies .* Check the network/);
    assert.equal((await project.start(["exit", "0"]).ended()).code, 0);
  });

  test("installs once when two start side by side", async () => {
    using project = new BootstrapProject();
    const runs = [project.start(["exit", "0"]), project.start(["exit", "0"])];
    const codes = await Promise.all(runs.map(async (run) => (await run.ended()).code));
    assert.deepEqual(codes, [0, 0]);
    assert.deepEqual(project.npmCalls(), ["ci"]);
  });

  test("takes the lock of a process that is gone", async () => {
    using project = new BootstrapProject();
    const dead = project.start(["exit", "0"]);
    await dead.ended();
    project.writeLockfile("2.0.0");
    const lock = join(project.folder, ".node", "install.lock");
    mkdirSync(lock, { recursive: true });
    writeFileSync(join(lock, "owner"), `${dead.process.pid} ${hostname()}`);
    assert.equal((await project.start(["exit", "0"]).ended()).code, 0);
    assert.deepEqual(project.npmCalls(), ["ci", "ci"]);
    assert.ok(!existsSync(lock));
  });

  test("names the file that a script of the project lacks", async () => {
    using project = new BootstrapProject();
    const { code, stderr } = await project.start(["--script", "bench/bench.ts"]).ended();
    assert.equal(code, 1);
    assert.match(stderr, /bench.ts does not exist in this checkout/);
  });
});

describe("bootstrap on an old Node", () => {
  test("brings a current one, says why, and runs the program on it", async () => {
    using project = new BootstrapProject();
    const first = await project.start(["exit", "5", "a b"], old).ended();
    const { rest, node } = said(first.stdout);
    assert.deepEqual([first.code, rest, node], [5, ["5", "a b"], process.versions.node]);
    assert.match(first.stderr, /Node 20\.1\.0 cannot run this project[^]*Getting Node 26\.10\.0/);
    const second = await project.start(["exit", "0"], old).ended();
    assert.deepEqual([second.code, second.stderr], [0, ""]);
    assert.deepEqual(project.npmCalls(), ["install", "ci"]);
  });

  test("brings one Node when two start side by side", async () => {
    using project = new BootstrapProject();
    const runs = [project.start(["exit", "0"], old), project.start(["exit", "0"], old)];
    const codes = await Promise.all(runs.map(async (run) => (await run.ended()).code));
    assert.deepEqual(codes, [0, 0]);
    assert.deepEqual(project.npmCalls(), ["install", "ci"]);
  });

  test("says what to do when the registry cannot be reached, and leaves nothing behind", async () => {
    using project = new BootstrapProject();
    const { code, stderr } = await project.start(["exit", "0"], old, { FAKE_NPM_EXIT: "1" }).ended();
    assert.equal(code, 1);
    assert.match(stderr, /Could not get Node 26\.10\.0 .*Install Node\.js 26 or later/);
    assert.deepEqual(readdirSync(join(project.folder, ".node")), []);
  });

  test("refuses a Node that does not run here", async () => {
    using project = new BootstrapProject();
    const { code, stderr } = await project.start(["exit", "0"], old, { FAKE_NPM_VERSION: "18.0.0" }).ended();
    assert.equal(code, 1);
    assert.match(stderr, /does not run on this machine: it answered "v18\.0\.0"/);
    assert.deepEqual(readdirSync(join(project.folder, ".node")), []);
  });

  test("passes signals on and keeps the exit code", async () => {
    using project = new BootstrapProject();
    const run = project.start(["wait"], old);
    assert.notEqual(said(await run.line()).pid, run.process.pid);
    assert.equal(await run.line(), "ready");
    run.process.kill("SIGHUP");
    assert.equal(await run.line(), "reloaded");
    run.process.kill("SIGTERM");
    assert.equal(await run.line(), "stopping");
    assert.equal((await run.ended()).code, 7);
  });

  test("ends by the signal that ended the program", async () => {
    using project = new BootstrapProject();
    const run = project.start(["wait"], old);
    const { pid } = said(await run.line());
    assert.equal(await run.line(), "ready");
    process.kill(pid, "SIGKILL");
    assert.equal((await run.ended()).signal, "SIGKILL");
  });

  test("stops the program when it is killed itself", async () => {
    using project = new BootstrapProject();
    const run = project.start(["wait"], old);
    await run.line();
    assert.equal(await run.line(), "ready");
    run.process.kill("SIGKILL");
    assert.equal(await run.line(), "stopping");
    assert.equal((await run.ended()).signal, "SIGKILL");
  });
});
