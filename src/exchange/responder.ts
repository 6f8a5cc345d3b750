/** The caller's side of an exchange: either one whole response, or a head followed by a stream. */
export interface Responder {
  readonly headSent: boolean;
  /** Body bytes handed over so far. */
  readonly bytesOut: number;
  /** What was written and waits in memory for a slow caller. */
  readonly unreadBytes: number;
  /** Alternating header names and values. */
  send(status: number, headers: string[], body: Uint8Array): void;
  start(status: number, headers: string[]): void;
  /** False: what was written waits in memory for a slow caller. */
  write(bytes: Uint8Array): boolean;
  end(bytes: Uint8Array | null): void;
  /** Closes the connection without an end: the caller sees that the answer broke. */
  destroy(): void;
}
