/** Tests of lines: the tests of a group are made of its lines, so there is none for which nobody states the outcome. */
import { describe, test } from "node:test";
import { describeCaller, describeCharges } from "./describe.ts";
import { casesOf, type Case, type Line, type Lines } from "./lines/line.ts";

/** Lets the fault strike in one way and checks what it came to. `all`: the ways of its line. */
export type Strike = (one: Case, all: readonly Case[]) => Promise<void>;

/** `skip`: why the group cannot be tested here; `sideBySide`: cases of a line at a time. */
export function testLines<Name extends string>(
  lines: Lines<Name>,
  strikes: Readonly<Record<Name, Strike>>,
  { skip = false, sideBySide = 1 }: { readonly skip?: string | false; readonly sideBySide?: number } = {},
): void {
  for (const name of Object.keys(lines) as Name[]) {
    const line = lines[name];
    const all = casesOf(line);
    describe(line.title, { concurrency: sideBySide }, () => {
      for (const one of all) {
        test(nameOf(line, one), (context) => (skip === false ? strikes[name](one, all) : context.skip(skip)));
      }
    });
  }
}

/**
 * One act strikes all cases of a line at once, the first time that one of them is tested. It resolves with what became
 * of each, in their order.
 */
export function together(act: (all: readonly Case[]) => Promise<readonly PromiseSettledResult<unknown>[]>): Strike {
  let acted: ReturnType<typeof act> | null = null;
  return async (one, all) => {
    const verdict = (await (acted ??= act(all)))[all.indexOf(one)];
    if (verdict?.status !== "fulfilled") throw verdict?.reason ?? new Error("Nothing became of it.");
  };
}

function nameOf(line: Line, { caller, upstream, stream, outcome }: Case): string {
  const asked =
    line.isWordless === true ? "" : `asked in ${caller} for ${stream ? "a stream" : "a whole answer"} of ${upstream}: `;
  return `${asked}the caller gets ${describeCaller(outcome)}; charged is ${describeCharges(line, outcome)}`;
}
