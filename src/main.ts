/**
 * The entry of the process and the only reader of `process`: turns it into a `CliContext`, runs the command line and
 * ends with its exit code.
 */
import { runCli } from "./cli/cli.ts";
import type { CliContext, TextSink } from "./cli/context.ts";
import { createSystemClock } from "./kernel/clock.ts";
import { systemRandomFill } from "./kernel/ids.ts";

const context: CliContext = {
  stdout: createSink(process.stdout),
  stderr: createSink(process.stderr),
  env: process.env,
  cwd: process.cwd(),
  clock: createSystemClock(),
  randomFill: systemRandomFill,
  process: {
    onSignal(name, listener) {
      process.on(name, listener);
      return () => process.off(name, listener);
    },
    onUnhandled(listener) {
      process.on("uncaughtException", listener);
      process.on("unhandledRejection", listener);
      return () => {
        process.off("uncaughtException", listener);
        process.off("unhandledRejection", listener);
      };
    },
  },
  runtime: {
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    executable: process.execPath,
  },
};

const exitCode = await runCli(process.argv.slice(2), context);
await Promise.all([drained(process.stdout), drained(process.stderr)]);
process.exit(exitCode);

/** A reader that left, such as `head`, wants no more: that is no failure. */
function createSink(stream: NodeJS.WriteStream): TextSink {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return { write: (text) => void stream.write(text), drained: () => drained(stream), isTty: stream.isTTY };
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
