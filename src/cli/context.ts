/**
 * Everything of the outside world that a command may touch, as a parameter: `main.ts` makes one from the process, tests
 * make one that records. A command that needs the network or the disk takes it from the modules it calls.
 */
import type { Clock } from "../kernel/clock.ts";
import type { RandomFill } from "../kernel/ids.ts";

export interface CliContext {
  /** Results: what a person or a script asked for. */
  readonly stdout: TextSink;
  /** Everything else: progress, warnings, errors. */
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths in arguments start. */
  readonly cwd: string;
  readonly clock: Clock;
  readonly randomFill: RandomFill;
  readonly process: ProcessEvents;
  readonly runtime: {
    /** Version of Node. */
    readonly node: string;
    readonly platform: string;
    /** Path of the program that runs this, for commands that run it again. */
    readonly executable: string;
  };
}

export interface TextSink {
  write(text: string): void;
  /** Resolves when the reader has taken what was written: for results that do not fit into memory. */
  drained(): Promise<void>;
  readonly isTty: boolean;
}

/** What can happen to the process while a command runs. Each returns a function that stops listening. */
export interface ProcessEvents {
  onSignal(name: SignalName, listener: () => void): () => void;
  /** An exception or rejection that nobody handled; what it leaves behind is unknown, so the process must end. */
  onUnhandled(listener: (error: unknown) => void): () => void;
}

export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";
