/** Vectors of unit length, whose product is the cosine of the angle between them. */

/** More than any model gives. */
const DIMENSIONS_MAX = 16_384;
/** The squares of shorter ones lose their digits. */
const LENGTH_LEAST = 1e-150;

/** Of a wire value; `null` for what is no vector, or has no direction. */
export function toUnitVector(values: unknown): Float32Array | null {
  if (!Array.isArray(values) || values.length === 0 || values.length > DIMENSIONS_MAX) return null;
  let square = 0;
  for (const value of values as readonly unknown[]) {
    if (typeof value !== "number") return null;
    square += value * value;
  }
  const length = Math.sqrt(square);
  if (!(length > LENGTH_LEAST && length < Infinity)) return null;
  return Float32Array.from(values as readonly number[], (value) => value / length);
}

/**
 * Of an embeddings answer, in the order of the inputs; `null` for each that is no vector. Wire facts: openai-node,
 * `CreateEmbeddingResponse`: `data` has an `index` each, and `embedding` is a list of numbers unless base64 is asked for.
 */
export function readVectors(json: unknown): readonly (Float32Array | null)[] {
  const { data } = (json ?? {}) as { readonly data?: unknown };
  if (!Array.isArray(data)) return [];
  const vectors: (Float32Array | null)[] = Array.from(data, () => null);
  data.forEach((each: unknown, position) => {
    const { index = position, embedding } = (each ?? {}) as { readonly index?: unknown; readonly embedding?: unknown };
    if (typeof index === "number" && index in vectors) vectors[index] = toUnitVector(embedding);
  });
  return vectors;
}

/** From -1 to 1; 0 for vectors of different models. Both of unit length. In four sums, which the processor adds at a time. */
export function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return 0;
  const whole = a.length - (a.length % 4);
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (let index = 0; index < whole; index += 4) {
    first += (a[index] as number) * (b[index] as number);
    second += (a[index + 1] as number) * (b[index + 1] as number);
    third += (a[index + 2] as number) * (b[index + 2] as number);
    fourth += (a[index + 3] as number) * (b[index + 3] as number);
  }
  for (let index = whole; index < a.length; index++) first += (a[index] as number) * (b[index] as number);
  return first + second + third + fourth;
}
