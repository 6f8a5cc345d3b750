/**
 * From whatever was thrown to what is told: an exit code, and a sentence for people or an object for scripts. Stack
 * traces are for `--debug` only.
 */
import { CommanderError } from "commander";
import { type ErrorCode, HeadgateError } from "../kernel/errors.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";

/** A failure that is none of the catalogue's, because only a command line can meet it. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly code: CliFailureCode;
  readonly exitCode: ExitCode;
  /** Further fields of the error object that `--json` prints. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: CliFailureCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.exitCode = exitCodeOf[code];
    this.details = details;
  }
}

export type CliFailureCode =
  | "invalid_configuration"
  | "port_in_use"
  | "file_exists"
  | "file_unusable"
  | "fetch_failed"
  | "interrupted";

const exitCodeOf: Readonly<Record<CliFailureCode, ExitCode>> = {
  invalid_configuration: exitCodes.configuration,
  port_in_use: exitCodes.failure,
  file_exists: exitCodes.conflict,
  file_unusable: exitCodes.failure,
  fetch_failed: exitCodes.failure,
  interrupted: exitCodes.interrupted,
};

const catalogueExitCodes: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  invalid_argument: exitCodes.usage,
  not_found: exitCodes.conflict,
  model_not_found: exitCodes.conflict,
  already_exists: exitCodes.conflict,
};

export interface Failure {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof CliFailure) {
    return {
      exitCode: thrown.exitCode,
      code: thrown.code,
      message: thrown.message,
      param: null,
      details: thrown.details,
    };
  }
  if (thrown instanceof HeadgateError) {
    const exitCode = catalogueExitCodes[thrown.code] ?? exitCodes.failure;
    return { exitCode, code: thrown.code, message: thrown.message, param: thrown.param, details: {} };
  }
  if (thrown instanceof CommanderError) return describeUsage(thrown);
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const message = `This is a bug in Headgate: ${reason}. Run it again with --debug for the place where it happened.`;
  return { exitCode: exitCodes.failure, code: "internal", message, param: null, details: {} };
}

/** `Error: …` for people, `{"error":{…}}` for scripts, both ending in a line feed. */
export function renderFailure(failure: Failure, json: boolean): string {
  const { code, message, param, details } = failure;
  return json ? `${JSON.stringify({ error: { code, message, param, ...details } })}\n` : `Error: ${message}\n`;
}

/** The causes with their stacks, outermost first. */
export function renderTrace(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "";
  const cause = thrown.cause === undefined ? "" : `caused by ${renderTrace(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}\n${cause}`;
}

/** Commander's own words, as our sentences: `error: unknown option '--prot'\n(Did you mean --port?)`. */
function describeUsage(error: CommanderError): Failure {
  const text = error.message.replace(/^error: /, "");
  const [problem = "", hint] = text.split("\n", 2);
  const sentence = `${problem.charAt(0).toUpperCase()}${problem.slice(1).replace(/\.$/, "")}.`;
  const suggestion = hint === undefined ? "" : ` ${hint.replace(/^\(|\)$/g, "")}`;
  const param = /'([^']+)'/.exec(problem)?.[1]?.split(/[ ,]/)[0] ?? null;
  return { exitCode: exitCodes.usage, code: "invalid_argument", message: sentence + suggestion, param, details: {} };
}
