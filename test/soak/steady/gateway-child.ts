/** The gateway's process as the soak sees it: it starts, is asked what goes on in it, and ends. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { GatewayStanding } from "../../../src/gateway.ts";
import { eventually } from "../../support/eventually.ts";
import type { Place } from "../place.ts";
import { underWay, type Vitals } from "./vitals.ts";

/** `vitals` collects garbage first. */
export type ToGateway = "standing" | "vitals";
export type FromGateway =
  | { readonly url: string }
  | { readonly standing: GatewayStanding }
  | { readonly vitals: Vitals };

const gatewayProcess = fileURLToPath(new URL("./gateway-process.ts", import.meta.url));
const ANSWERS_WITHIN_MS = 30_000;
/** Drained streams, stragglers of races, and what follows a settlement are over by then. */
const RESTS_WITHIN_MS = 10_000;
const ENDS_WITHIN_MS = 20_000;
const LOG_CHARS_SHOWN = 2_000;

export class GatewayChild implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;

  private constructor(child: ChildProcess, url: string, logFile: string) {
    this.#child = child;
    this.url = url;
    this.#logFile = logFile;
  }

  static async start(place: Place): Promise<GatewayChild> {
    const log = openSync(place.logFile, "a");
    const child = fork(gatewayProcess, [place.configFile], {
      cwd: place.folder,
      env: { ...process.env, ...place.env },
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "ignore", log, "ipc"],
    });
    closeSync(log);
    const { url } = (await answerOf(child, place.logFile)) as { readonly url: string };
    return new GatewayChild(child, url, place.logFile);
  }

  /** When nothing is under way any more, or after a while although something is. */
  async rest(): Promise<Vitals> {
    const isIdle = async (): Promise<boolean> => {
      const { standing } = (await this.#ask("standing")) as { readonly standing: GatewayStanding };
      return underWay({ standing, holds: 0 }).length === 0;
    };
    await eventually("nothing is under way", isIdle, RESTS_WITHIN_MS).catch(() => null);
    const { vitals } = (await this.#ask("vitals")) as { readonly vitals: Vitals };
    return vitals;
  }

  /** SIGTERM. The exit code; rejects if the process has not ended by itself in time. */
  async stop(): Promise<number | null> {
    if (!isRunning(this.#child)) throw endedEarly(this.#child, this.#logFile);
    const exited = once(this.#child, "exit", { signal: AbortSignal.timeout(ENDS_WITHIN_MS) });
    this.#child.kill("SIGTERM");
    const [code] = (await exited) as [number | null];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!isRunning(this.#child)) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  async #ask(question: ToGateway): Promise<FromGateway> {
    if (!isRunning(this.#child)) throw endedEarly(this.#child, this.#logFile);
    const answered = answerOf(this.#child, this.#logFile);
    this.#child.send(question);
    return await answered;
  }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** With the end of what it said. */
function endedEarly({ exitCode, signalCode }: ChildProcess, logFile: string): Error {
  const log = readFileSync(logFile, "utf8").slice(-LOG_CHARS_SHOWN);
  return new Error(`The gateway's process ended by itself with ${exitCode ?? signalCode}. Its log:\n${log}`);
}

async function answerOf(child: ChildProcess, logFile: string): Promise<FromGateway> {
  const over = new AbortController();
  const ended = once(child, "exit", { signal: over.signal }).then(() => {
    throw endedEarly(child, logFile);
  });
  const answered = once(child, "message", {
    signal: AbortSignal.any([over.signal, AbortSignal.timeout(ANSWERS_WITHIN_MS)]),
  });
  try {
    const [answer] = (await Promise.race([answered, ended])) as [FromGateway];
    return answer;
  } finally {
    over.abort();
    await Promise.allSettled([answered, ended]);
  }
}
