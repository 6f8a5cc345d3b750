/**
 * What a command prints. A result goes to stdout, once: as one JSON document with `--json`, as text for people
 * without. Notes go to stderr, and are left out with `--json`, where only an error is written there.
 */
import { styleText } from "node:util";
import type { CliContext } from "./context.ts";

export interface Output {
  readonly json: boolean;
  /** `document` must be fit for JSON; `render` makes the text for people, ending in a line feed. */
  result(document: unknown, render: () => string): void;
  /** The same for a server that goes on running: the document on exactly one line, so that a script can wait for it. */
  ready(document: unknown, render: () => string): void;
  /** One line for people who watch. */
  note(line: string): void;
  /** Colours a word of a result where colours are wanted. */
  paint(colour: "green" | "yellow" | "red", word: string): string;
}

export function createOutput(context: CliContext, json: boolean): Output {
  const { stdout, stderr, env } = context;
  const noColour = env["NO_COLOR"];
  const coloured = stdout.isTty && !json && (noColour === undefined || noColour === "");
  return {
    json,
    result(document, render) {
      stdout.write(json ? `${JSON.stringify(document, null, stdout.isTty ? 2 : undefined)}\n` : render());
    },
    ready(document, render) {
      stdout.write(json ? `${JSON.stringify(document)}\n` : render());
    },
    note(line) {
      if (!json) stderr.write(`${line}\n`);
    },
    paint: (colour, word) => (coloured ? styleText(colour, word, { validateStream: false }) : word),
  };
}
