/** The synchronous view of API keys that authentication needs on the request path. */
export interface KeyReader {
  /**
   * Rises when tenants, projects, keys or allowances may have changed, in whatever process: what was read under another
   * generation must be read again. Cheap enough to ask on every request. Throws `storage_unavailable`.
   */
  generation(): number;
  /** By the SHA-256 of the key in hexadecimal. Throws `storage_unavailable`. */
  find(hash: string): StoredKey | null;
}

export interface StoredKey {
  readonly keyId: string;
  readonly keyName: string;
  readonly tenantId: string;
  readonly tenantName: string;
  readonly projectId: string;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  readonly tenantDisabledAtMs: number | null;
  readonly projectDisabledAtMs: number | null;
  readonly modelAllowList: readonly string[] | null;
  readonly metadata: Readonly<Record<string, string>>;
}
