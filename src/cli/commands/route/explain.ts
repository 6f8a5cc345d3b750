import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Dialect, DialectName, RequestView } from "../../../dialects/dialect.ts";
import { findDialect } from "../../../dialects/registry.ts";
import { assert } from "../../../kernel/assert.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import { spliceMembers } from "../../../kernel/json-splice.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { CliFailure } from "../../failure.ts";
import { viewAsServed } from "../../gateway-view.ts";
import { renderExplanation } from "./render.ts";

export interface ExplainOptions {
  readonly model: string;
  readonly request: string | null;
  readonly dialect: DialectName | null;
  readonly tags: readonly string[] | null;
}

export async function explain(invocation: Invocation<ExplainOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  const { snapshot, hasStandIn } = await viewAsServed(invocation);
  const dialect = findDialect(options.dialect ?? "openai-chat");
  const explanation = snapshot.router.explain({
    view: readRequest(invocation, dialect, snapshot.config.limits.jsonDepth),
    dialect,
    tenantId: null,
    requires: options.tags ?? [],
    modelAllowList: null,
    atMs: context.clock.wallMs(),
  });
  const targets = explanation.targets.map(({ load: _unknownHere, ...target }) => target);
  output.result({ ...explanation, targets }, () => renderExplanation(explanation));
  if (hasStandIn) {
    output.note("No provider is configured: until there is one, `headgate serve` answers with a simulator.");
  }
  return explanation.refusal === null ? exitCodes.ok : exitCodes.checks;
}

/** The request that is asked about, with the model that is. */
function readRequest({ context, options }: Invocation<ExplainOptions>, dialect: Dialect, depth: number): RequestView {
  const body = options.request === null ? shortRequest(dialect) : readFile(resolve(context.cwd, options.request));
  const model = { name: "model", json: JSON.stringify(options.model) };
  const { inbound } = dialect;
  assert(inbound !== undefined, `dialect ${dialect.name} is not spoken with callers`);
  try {
    return inbound.view(parseJsonDocument(spliceMembers(parseJsonDocument(body, { depth }), [model]), { depth }));
  } catch (thrown) {
    if (!(thrown instanceof HeadgateError) || options.request === null) throw thrown;
    const hint = options.dialect === null ? " For a request in another dialect give --dialect." : "";
    const message = `${options.request} is no request of the dialect ${dialect.name}: ${thrown.message}${hint}`;
    throw new HeadgateError("invalid_argument", message, { param: thrown.param ?? "--request", cause: thrown });
  }
}

const messages = [{ role: "user", content: "Hello" }];

/** What needs nothing, in each dialect. */
const shortRequests: Readonly<Record<DialectName, object>> = {
  "openai-chat": { messages },
  "openai-embeddings": { input: "Hello" },
  "anthropic-messages": { max_tokens: 1024, messages },
};

function shortRequest({ name }: Dialect): Uint8Array {
  return Buffer.from(JSON.stringify(shortRequests[name]));
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (reason) {
    const why = (reason as NodeJS.ErrnoException).code === "ENOENT" ? "There is no such file" : String(reason);
    throw new CliFailure("file_unusable", `${path} cannot be read. ${why}.`, {}, reason);
  }
}
