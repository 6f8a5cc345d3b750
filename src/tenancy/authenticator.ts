/**
 * Finds the principal of a presented key. What a key means is cached by the key's hash until the store's generation
 * moves, which it does with every change to tenants, projects and keys in any process; expiry is compared with
 * the clock on every call. Unknown keys have a cache of their own, so that a flood of them neither evicts those
 * in use nor keeps asking the store for the same one.
 *
 * Every presented key is hashed and looked up by its hash, whatever it looks like: how long an answer takes says nothing
 * about the keys there are.
 */
import type { Clock } from "../kernel/clock.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { KeyReader, StoredKey } from "../storage/key-reader.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { hashKey, isWellFormedKey } from "./key-format.ts";
import type { Authenticator, Principal } from "./principal.ts";

export interface AuthenticatorDeps {
  readonly keys: KeyReader;
  readonly clock: Clock;
}

interface CachedKey {
  readonly stored: StoredKey;
  readonly principal: Principal;
}

const KNOWN_KEYS_MAX = 20_000;
const UNKNOWN_KEYS_MAX = 2_000;

export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { keys, clock } = deps;
  const known = new BoundedCache<CachedKey>(KNOWN_KEYS_MAX);
  const unknown = new BoundedCache<true>(UNKNOWN_KEYS_MAX);
  let generation = -1;

  function find(hash: string): CachedKey | null {
    const current = keys.generation();
    if (current !== generation) {
      known.clear();
      unknown.clear();
      generation = current;
    }
    const cached = known.get(hash);
    if (cached !== undefined) return cached;
    if (unknown.get(hash) === true) return null;
    const stored = keys.find(hash);
    if (stored === null) {
      unknown.set(hash, true);
      return null;
    }
    const found = { stored, principal: toPrincipal(stored) };
    known.set(hash, found);
    return found;
  }

  return {
    authenticate(presentedKey) {
      if (presentedKey === null) {
        throw new HeadgateError("missing_api_key", "No API key was sent. Send one as `Authorization: Bearer hg-…`.");
      }
      const found = find(hashKey(presentedKey));
      if (found === null) throw unknownKey(presentedKey);
      refuseUnlessInForce(found.stored, clock.wallMs());
      return found.principal;
    },
  };
}

function refuseUnlessInForce(key: StoredKey, nowMs: number): void {
  if (key.revokedAtMs !== null) {
    throw new HeadgateError(
      "revoked_api_key",
      "This API key was revoked. Ask whoever runs this gateway for a new one.",
    );
  }
  if (key.tenantDisabledAtMs !== null || key.projectDisabledAtMs !== null) {
    const what = key.tenantDisabledAtMs === null ? "project" : "tenant";
    throw new HeadgateError(
      "revoked_api_key",
      `The ${what} of this API key is disabled. Ask whoever runs this gateway to enable it.`,
    );
  }
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) {
    const when = new Date(key.expiresAtMs).toISOString();
    throw new HeadgateError(
      "expired_api_key",
      `This API key expired at ${when}. Ask whoever runs this gateway for a new one.`,
    );
  }
}

function unknownKey(presentedKey: string): HeadgateError {
  const hint = isWellFormedKey(presentedKey)
    ? "It has the right form, but this gateway does not know it: it may belong to another one."
    : "It is not of the form this gateway makes (`hg-` and 43 letters and digits): check that it was copied whole.";
  return new HeadgateError("invalid_api_key", `The API key is not valid. ${hint}`);
}

function toPrincipal(key: StoredKey): Principal {
  return {
    payer: { tenantId: key.tenantId, projectId: key.projectId, keyId: key.keyId },
    keyName: key.keyName,
    tenantName: key.tenantName,
    modelAllowList: key.modelAllowList,
    metadata: key.metadata,
  };
}
