/**
 * What a Claude model's name tells about the request it takes. Only facts that no single request shape satisfies for
 * all models stand here; the lists are of old models and closed, so that a model that is new to us gets the API's
 * current shape, and what it refuses is refused by the provider, in its own words.
 *
 * Wire facts: platform.claude.com, pages "Adaptive thinking" (models before Opus 4.6 and Sonnet 4.6 know only
 * `thinking.type: "enabled"`), "Mid-conversation system messages" (Opus 4.8 and the generation 5, Sonnet 5 excepted) and
 * "What's new in Claude 4.6" (a final turn of the assistant is refused from there on).
 */
interface ClaudeVersion {
  /** `opus`, `sonnet`, …; `null` in the names of generation 3, which begin with the number. */
  readonly family: string | null;
  readonly major: number;
  readonly minor: number;
}

/** `claude-opus-4-8`, `anthropic.claude-haiku-4-5-20251001-v1:0`, `claude-3-7-sonnet@20250219`, `claude-opus-4.8`. */
const NAME = /claude-(?:([a-z]+)-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/;

/** The model thinks only within a budget that the request states, and knows no levels of effort. */
export function thinksByBudget(model: string): boolean {
  const version = parseVersion(model);
  return version !== null && (version.major < 4 || (version.major === 4 && version.minor < 6));
}

/** The model goes on from a final turn of the assistant's. Not assumed of a name that says nothing. */
export function goesOnFromAssistantTurn(model: string): boolean {
  const version = parseVersion(model);
  return version !== null && (version.major < 4 || (version.major === 4 && version.minor < 6));
}

/** The model takes turns of the role `system` between the others. Not assumed of a name that says nothing. */
export function takesSystemTurns(model: string): boolean {
  const version = parseVersion(model);
  if (version === null) return false;
  if (version.major === 4) return version.minor >= 8;
  return version.major > 5 || (version.major === 5 && (version.family !== "sonnet" || version.minor > 0));
}

function parseVersion(model: string): ClaudeVersion | null {
  const match = NAME.exec(model);
  if (match === null) return null;
  return { family: match[1] ?? null, major: Number(match[2]), minor: Number(match[3] ?? 0) };
}
