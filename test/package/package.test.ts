/** The package as a user gets it: packed, installed into an empty folder, run from there. Needs the npm registry. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { startServer } from "./running-server.ts";

interface Manifest {
  readonly version: string;
  readonly dependencies: Record<string, string>;
}

const project = join(import.meta.dirname, "..", "..");
const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as Manifest;

function npm(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8" });
  assert.equal(status, 0, `npm ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return stdout;
}

describe("package", () => {
  const folder = mkdtempSync(join(tmpdir(), "headgate-package-"));
  const installed = join(folder, "node_modules", "headgate");
  const command = join(folder, "node_modules", ".bin", "headgate");
  let files: string[] = [];

  before(() => {
    const output = npm(project, "pack", "--json", "--silent", "--pack-destination", folder);
    const [packed] = Object.values(JSON.parse(output.slice(output.search(/^[[{]/m))) as Record<string, Packed>);
    files = packed!.files.map(({ path }) => path);
    writeFileSync(join(folder, "package.json"), `{ "private": true }\n`);
    npm(
      folder,
      "install",
      "--ignore-scripts",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      join(folder, packed!.filename),
    );
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test("holds the program, its licence and its schema, and nothing of how it was made", () => {
    for (const path of ["bin/headgate.js", "dist/main.js", "schema/config.schema.json", "LICENSE", "README.md"]) {
      assert.ok(files.includes(path), `${path} is missing`);
    }
    const strange = files.filter((path) => /\.test\.|fixtures|(?<!\.d)\.ts$|^(src|test|scripts|bench)\//.test(path));
    assert.deepEqual(strange, []);
  });

  test("has nothing that publint would change", async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg, { color: false })),
      [],
    );
  });

  test("brings its runtime dependencies and no others of ours", () => {
    const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as Lockfile;
    assert.deepEqual(lock.packages["node_modules/headgate"]?.dependencies, manifest.dependencies);
  });

  test("says its version", () => {
    const { stdout, status } = spawnSync(command, ["version", "--json"], { encoding: "utf8" });
    assert.equal(status, 0);
    assert.equal((JSON.parse(stdout) as Manifest).version, manifest.version);
  });

  test("serves from an empty folder, and stops when asked", async () => {
    await using server = startServer(command, ["serve", "--port", "0"], folder);
    const { url } = await server.ready();
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal(await server.stop(), 0);
  });
});

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

interface Lockfile {
  readonly packages: Record<string, { readonly dependencies?: Record<string, string> }>;
}
