/**
 * Models that think before they answer though nobody asks for it: their first output comes late, and waiting for it is no
 * sign that they are gone. By their names, wherever they are served, since a wrong one costs only patience. What a
 * target's answers take decides as soon as a few are known.
 *
 * OpenAI: "Reasoning models" (https://platform.openai.com/docs/guides/reasoning); Gemini: "Thinking" is on by default from
 * 2.5 on, but for Flash-Lite (https://ai.google.dev/gemini-api/docs/thinking); xAI: "Reasoning"
 * (https://docs.x.ai/docs/guides/reasoning); DeepSeek's, Mistral's and Qwen's by the names of their models.
 */
const families: readonly RegExp[] = [
  /^o[134](?:-|$)/,
  /^gpt-5(?!.*chat)/,
  /^gpt-oss/,
  /^gemini-(?:2\.5|[3-9])(?!.*lite)/,
  /^grok-(?:3-mini|[4-9])(?!.*non-reasoning)/,
  /^(?:deepseek-(?:reasoner|r\d)|qwq|magistral)/,
  /[-_]thinking(?:[-_:]|$)/,
];

/** `model`: the provider's own name of it, with or without its maker before a slash. */
export function thinksUnasked(model: string): boolean {
  const name = model.slice(model.lastIndexOf("/") + 1).toLowerCase();
  return families.some((family) => family.test(name));
}
