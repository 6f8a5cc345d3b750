/** Placeholder for the owner of the codec; replaced before anything depends on its body. */
export interface SseEvent {
  /** The `event:` field, empty if none. */
  readonly event: string;
  /** The `data:` lines joined by line feeds. */
  readonly data: string;
  /** True for a block without any data line (a comment or keep-alive). */
  readonly comment: boolean;
  /** The event's bytes as they came, with the blank line that ends it. A view, valid until the next `push`. */
  readonly raw: Uint8Array;
}
