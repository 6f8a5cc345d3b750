import type { Payer } from "../storage/records.ts";

/** Who a request acts for, as its API key says. */
export interface Principal {
  readonly payer: Payer;
  readonly keyName: string;
  readonly tenantName: string;
  /** Patterns of models the key may use (`*` matches any run of characters); `null` allows all. */
  readonly modelAllowList: readonly string[] | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Authenticator {
  /**
   * Finds the principal of a presented key. Throws `missing_api_key`, `invalid_api_key`, `expired_api_key` or
   * `revoked_api_key`. A revocation committed by any process on the same store is seen by the next call.
   */
  authenticate(presentedKey: string | null): Principal;
}
