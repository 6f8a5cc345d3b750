/** A copy of the sources in which a mutation can be planted, taken out again, and looked for. */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A bug, planted by replacing a text that occurs exactly once in the file. */
export interface Mutation {
  readonly name: string;
  /** From the project's folder. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Verdict {
  /** Seeds that were begun. */
  readonly seeds: number;
  /** What noticed it: an invariant's name, or how the process ended; `null`: nothing. */
  readonly noticedBy: string | null;
}

/** No seed takes a tenth of it: a process that says nothing for so long hangs. */
const SILENCE_MS_MAX = 60_000;

const project = join(import.meta.dirname, "..", "..", "..");
/** What simulations are made of. */
const copied = ["package.json", "src", "test/simulation", "test/gateway-simulation", "test/support"];

export class Workshop implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "headgate-mutation-"));

  readonly #seek: string;

  /** `seek`: the program, in this project, that looks for a broken invariant. */
  constructor(seek: URL) {
    this.#seek = join(this.#folder, relative(project, fileURLToPath(seek)));
    for (const part of copied) cpSync(join(project, part), join(this.#folder, part), { recursive: true });
    symlinkSync(join(project, "node_modules"), join(this.#folder, "node_modules"));
  }

  /** Why it cannot be planted: its text is not there exactly once. `null`: it can. */
  objection({ name, file, find }: Mutation): string | null {
    const places = readFileSync(join(this.#folder, file), "utf8").split(find).length - 1;
    return places === 1 ? null : `"${name}": its text is in ${file} ${places} times instead of once.`;
  }

  async try({ file, find, replace }: Mutation, seeds: number): Promise<Verdict> {
    const path = join(this.#folder, file);
    const source = readFileSync(path, "utf8");
    writeFileSync(
      path,
      source.replace(find, () => replace),
    );
    try {
      return await this.seek(seeds);
    } finally {
      writeFileSync(path, source);
    }
  }

  /** Runs so many seeds on the copy as it is. */
  async seek(seeds: number): Promise<Verdict> {
    const child = spawn(process.execPath, [this.#seek, String(seeds)], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let silence = setTimeout(() => child.kill("SIGKILL"), SILENCE_MS_MAX);
    const ended = new Promise<string>((resolve) => {
      child.once("close", (code, signal) => resolve(signal === null ? `exit code ${code}` : "it hangs"));
    });
    let begun = 0;
    let noticedBy: string | null = null;
    for await (const line of createInterface({ input: child.stdout })) {
      silence = silence.refresh();
      const [word, value = ""] = line.split(" ");
      if (word === "noticed") noticedBy = value;
      else begun = Number(value);
    }
    clearTimeout(silence);
    const end = await ended;
    return { seeds: begun, noticedBy: noticedBy ?? (end === "exit code 0" ? null : end) };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
