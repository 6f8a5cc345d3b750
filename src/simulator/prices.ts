/**
 * The simulator's own price list and arithmetic, apart from the gateway's on purpose: that two independent
 * calculations agree to the nano-dollar is the proof. Rates are pico-dollars a token ($1 per million is 1,000,000),
 * so every rate is an integer; a request's cost is the sum of tokens × rate, rounded up once to whole nano-dollars.
 */
export interface Tokens {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly output: number;
  readonly reasoning: number;
}

type Rates = { readonly [Bucket in keyof Tokens]: bigint };

const rates: Readonly<Record<string, Rates>> = {
  "sim-chat": {
    input: 1_000_000n,
    cacheRead: 100_000n,
    cacheWrite5m: 1_250_000n,
    cacheWrite1h: 2_000_000n,
    output: 4_000_000n,
    reasoning: 4_000_000n,
  },
  "sim-mini": {
    input: 37_500n,
    cacheRead: 12_500n,
    cacheWrite5m: 37_500n,
    cacheWrite1h: 37_500n,
    output: 150_000n,
    reasoning: 150_000n,
  },
  "sim-claude": {
    input: 3_000_000n,
    cacheRead: 300_000n,
    cacheWrite5m: 3_750_000n,
    cacheWrite1h: 6_000_000n,
    output: 15_000_000n,
    reasoning: 15_000_000n,
  },
  "sim-embed": {
    input: 20_000n,
    cacheRead: 20_000n,
    cacheWrite5m: 20_000n,
    cacheWrite1h: 20_000n,
    output: 0n,
    reasoning: 0n,
  },
};

/** The models there are, in the order they are listed. */
export const simulatedModels: readonly string[] = Object.keys(rates);

const PICO_PER_NANO = 1000n;

/** Nano-dollars. The model must be one of `simulatedModels`. */
export function costOf(model: string, tokens: Tokens): bigint {
  const rate = rates[model];
  if (!rate) throw new RangeError(`The simulator has no model ${model}`);
  const pico =
    BigInt(tokens.input) * rate.input +
    BigInt(tokens.cacheRead) * rate.cacheRead +
    BigInt(tokens.cacheWrite5m) * rate.cacheWrite5m +
    BigInt(tokens.cacheWrite1h) * rate.cacheWrite1h +
    BigInt(tokens.output) * rate.output +
    BigInt(tokens.reasoning) * rate.reasoning;
  return (pico + PICO_PER_NANO - 1n) / PICO_PER_NANO;
}
