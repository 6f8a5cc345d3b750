/**
 * Whether each provider can be called with each of its credentials: `GET {base}/models`, which costs nothing and is in
 * both OpenAI's and Anthropic's API. What went wrong is told apart: name, network, credential, provider.
 */
import type { Credential, Endpoint } from "../../providers/endpoint.ts";
import { AnswerTooLate, getJson, type JsonAnswer } from "../../providers/get-json.ts";
import type { AskDeps } from "./ask-deps.ts";
import { fail, type Finding, ok, reasonOf, warn } from "./finding.ts";

export interface ProviderFindings {
  readonly findings: readonly Finding[];
  /** How far each answer's `date` header was ahead of our clock. */
  readonly aheadMs: readonly number[];
}

const ANSWER_WITHIN_MS = 5000;
/** Some list thousands of models. */
const LIST_BYTES_MAX = 16 * 1024 * 1024;

export async function checkProviders(deps: AskDeps, endpoints: Iterable<Endpoint>): Promise<ProviderFindings> {
  const checked = await Promise.all(Array.from(endpoints, (endpoint) => checkProvider(deps, endpoint)));
  return { findings: checked.flatMap(({ findings }) => findings), aheadMs: checked.flatMap(({ aheadMs }) => aheadMs) };
}

/** Without the network: whether each provider that needs a key has one. */
export function checkCredentials(endpoints: Iterable<Endpoint>): readonly Finding[] {
  return Array.from(
    endpoints,
    (endpoint) => missingKey(endpoint) ?? ok(checkOf(endpoint), "configured; not asked (--offline)"),
  );
}

async function checkProvider(deps: AskDeps, endpoint: Endpoint): Promise<ProviderFindings> {
  const missing = missingKey(endpoint);
  if (missing !== null) return { findings: [missing], aheadMs: [] };
  const findings: Finding[] = [];
  const aheadMs: number[] = [];
  for (let turn = 0; turn < endpoint.config.credentials.length; turn++) {
    const credential = endpoint.nextCredential();
    try {
      const answer = await ask(deps, endpoint, credential);
      findings.push(judge(endpoint, credential, answer));
      const date = Date.parse(String(answer.headers["date"]));
      if (!Number.isNaN(date)) aheadMs.push(date - deps.clock.wallMs());
    } catch (error) {
      findings.push(explain(endpoint, error));
    }
  }
  return { findings, aheadMs };
}

function ask({ transport, clock }: AskDeps, endpoint: Endpoint, credential: Credential): Promise<JsonAnswer> {
  const { origin, basePath } = endpoint;
  const limits = { timeoutMs: ANSWER_WITHIN_MS, bytesMax: LIST_BYTES_MAX };
  const request = { origin, path: `${basePath}/models`, headers: credential.headers, ...limits };
  return getJson(transport, clock, request, new AbortController().signal);
}

function judge(endpoint: Endpoint, credential: Credential, { status }: JsonAnswer): Finding {
  const check = checkOf(endpoint);
  const named = `credential "${credential.name}"`;
  if (status === 200) return ok(check, `answers at ${endpoint.origin} and accepts ${named}`);
  if (status === 401 || status === 403) {
    const where = `providers.${endpoint.name}.credentials`;
    return fail(
      check,
      `refuses ${named} (status ${status})`,
      `Put a valid key where ${where} points, or make a new one.`,
    );
  }
  if (status === 404 || status === 405) {
    return warn(
      check,
      `answers at ${endpoint.origin} but lists no models (status ${status})`,
      `Check providers.${endpoint.name}.baseUrl if calls fail.`,
    );
  }
  if (status === 429) return warn(check, `is rate limiting ${named}`, "Wait, or raise the limit with the provider.");
  return warn(check, `answers with status ${status}`, "Try again later; see the provider's status page.");
}

function explain(endpoint: Endpoint, error: unknown): Finding {
  const check = checkOf(endpoint);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const baseUrl = `providers.${endpoint.name}.baseUrl`;
  if (error instanceof AnswerTooLate) {
    return fail(check, reasonOf(error), "Check network, firewall and proxy between here and there.");
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return fail(
      check,
      `the name in ${endpoint.origin} does not resolve (${code})`,
      `Check ${baseUrl} and the machine's DNS.`,
    );
  }
  if (code === "ECONNREFUSED") {
    return fail(check, `nothing listens at ${endpoint.origin} (${code})`, `Start it, or correct ${baseUrl}.`);
  }
  return fail(
    check,
    `cannot be reached at ${endpoint.origin}: ${reasonOf(error)}`,
    "Check network, TLS certificates and proxy.",
  );
}

function missingKey(endpoint: Endpoint): Finding | null {
  const { spec, config, name } = endpoint;
  if (spec.auth.scheme === "none" || config.credentials.some(({ key }) => key !== null)) return null;
  const [variable] = spec.environment;
  const advice = `Set ${variable === undefined ? `providers.${name}.key` : `${variable}, or providers.${name}.key`}.`;
  return fail(checkOf(endpoint), "has no key", advice);
}

function checkOf({ name }: Endpoint): string {
  return `provider ${name}`;
}
