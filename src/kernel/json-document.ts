/** A parsed JSON object together with its bytes and where each top-level member stands in them. */
export interface JsonDocument {
  readonly bytes: Uint8Array;
  readonly root: Readonly<Record<string, unknown>>;
  /** Byte spans of the top-level members, in order. */
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  readonly name: string;
  /** Offset of the opening quote of the name. */
  readonly keyStart: number;
  /** Span of the value, without surrounding white space. */
  readonly valueStart: number;
  readonly valueEnd: number;
}
