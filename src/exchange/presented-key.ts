/**
 * The API key a caller presented: `Authorization: Bearer` (OpenAI and most SDKs), `x-api-key` (Anthropic's SDK),
 * `api-key` (Azure's) or `x-goog-api-key` (Google's). `null` if there is none.
 */
export function presentedKey(headers: Readonly<Record<string, string | string[] | undefined>>): string | null {
  const authorization = headers["authorization"];
  if (typeof authorization === "string") {
    const space = authorization.indexOf(" ");
    if (space > 0 && authorization.slice(0, space).toLowerCase() === "bearer")
      return authorization.slice(space + 1).trim();
  }
  const key = headers["x-api-key"] ?? headers["api-key"] ?? headers["x-goog-api-key"];
  return typeof key === "string" && key !== "" ? key : null;
}
