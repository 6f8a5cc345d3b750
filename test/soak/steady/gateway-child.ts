/** The gateway's process as the soak sees it: it starts, is asked what goes on in it, and ends. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
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

export class GatewayChild implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
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
    const { url } = (await answerOf(child)) as { readonly url: string };
    return new GatewayChild(child, url);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
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
    const exited = once(this.#child, "exit", { signal: AbortSignal.timeout(ENDS_WITHIN_MS) });
    this.#child.kill("SIGTERM");
    const [code] = (await exited) as [number | null];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #ask(question: ToGateway): Promise<FromGateway> {
    const answered = answerOf(this.#child);
    this.#child.send(question);
    return answered;
  }
}

async function answerOf(child: ChildProcess): Promise<FromGateway> {
  const over = new AbortController();
  const ended = once(child, "exit", { signal: over.signal }).then(([code]) => {
    throw new Error(`The gateway's process ended with ${String(code)}; its log says why.`);
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
