/**
 * A configured provider, ready to be called: catalogue facts and the operator's settings merged once per
 * configuration snapshot, headers of each credential prepared, credentials taken in turn.
 */
import type { ProviderConfig, TimeoutsConfig } from "../config/config.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { ProviderSpec } from "./provider.ts";

export interface Credential {
  /** Shown in records and logs instead of the key. */
  readonly name: string;
  /** Alternating names and values of all headers that do not depend on the request. Throws where its key is missing. */
  readonly headers: readonly string[];
}

export interface Endpoint {
  readonly name: string;
  readonly spec: ProviderSpec;
  readonly config: ProviderConfig;
  readonly origin: string;
  /** The gateway's timeouts with the provider's own laid over them. */
  readonly timeouts: TimeoutsConfig;
  /** Prefix of every path, without trailing slash. */
  readonly basePath: string;
  /** In configured order. */
  readonly credentialNames: readonly string[];
  /** The next credential in turn. */
  nextCredential(): Credential;
  /** The credential of that name, or the next one if it is gone. */
  credential(name: string): Credential;
}

/** Throws `invalid_argument` when the provider has no usable address or lacks a credential that it needs. */
export function createEndpoint(
  name: string,
  spec: ProviderSpec,
  config: ProviderConfig,
  timeouts: TimeoutsConfig,
  userAgent: string,
): Endpoint {
  const base = config.baseUrl ?? spec.baseUrl;
  if (base === null) {
    throw new HeadgateError("invalid_argument", `Provider ${name} needs an address: set providers.${name}.baseUrl.`);
  }
  const url = new URL(base);
  if (url.search !== "" || url.hash !== "") {
    throw new HeadgateError(
      "invalid_argument",
      `providers.${name}.baseUrl has a query or a fragment, which would be lost: give the address up to the version segment.`,
    );
  }
  const credentials = prepareCredentials(spec, config, userAgent);
  let turn = 0;
  const endpoint: Endpoint = {
    name,
    spec,
    config,
    timeouts: { ...timeouts, ...config.timeouts },
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ""),
    credentialNames: credentials.map((each) => each.name),
    nextCredential() {
      const credential = credentials[turn];
      turn = turn + 1 < credentials.length ? turn + 1 : 0;
      if (credential === undefined) {
        throw new HeadgateError(
          "upstream_credentials",
          `The gateway has no credential for provider ${name}. The operator sets providers.${name}.credentials.`,
        );
      }
      return credential;
    },
    credential: (wanted) => credentials.find((each) => each.name === wanted) ?? endpoint.nextCredential(),
  };
  return endpoint;
}

function prepareCredentials(spec: ProviderSpec, config: ProviderConfig, userAgent: string): readonly Credential[] {
  const common = mergeHeaders(
    { "content-type": "application/json", "accept-encoding": "identity", "user-agent": userAgent },
    spec.headers,
    config.headers,
  );
  return config.credentials.map(({ name, key }) => {
    if (key === null) return { name, headers: common };
    let headers: readonly string[] | null = null;
    return {
      name,
      get headers() {
        return (headers ??= [...common, ...authHeader(spec, key.reveal())]);
      },
    };
  });
}

function authHeader({ auth }: ProviderSpec, key: string): readonly [name: string, value: string] {
  return auth.scheme === "header" ? [auth.header, key] : ["authorization", `Bearer ${key}`];
}

/** Alternating names and values; a later one replaces an earlier one of the same name, however it is written. */
function mergeHeaders(...layers: readonly Readonly<Record<string, string>>[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer)) merged.set(name.toLowerCase(), value);
  }
  return [...merged].flat();
}
