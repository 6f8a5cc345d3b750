/** The text that the simulator says. One piece is one token: that is the simulator's whole tokenizer for output. */
import type { Random } from "./random.ts";

const PLAIN = (
  "water gate river field stream channel valley mill wheel stone bridge bank flow level measure keeper morning rain " +
  "spring meadow willow reed heron trout current depth course turn share drop ditch furrow harvest season summer"
).split(" ");

const MULTIBYTE =
  "eau français où 水門 川の流れ réseau größe übermäßig 测量 поток вода 🌊 🐟 naïve œuvre señal ação".split(" ");

/** `count` pieces of prose, each a word with its space and punctuation. */
export function prosePieces(count: number, random: Random, multibyte: boolean): string[] {
  const words = multibyte ? MULTIBYTE : PLAIN;
  const pieces: string[] = [];
  let sentence = 0;
  for (let index = 0; index < count; index++) {
    let word = random.pick(words);
    if (sentence === 0)
      word = word.charAt(0).toUpperCase() === word.charAt(0) ? word : word.charAt(0).toUpperCase() + word.slice(1);
    sentence++;
    const last = index === count - 1 || sentence >= 6 + random.below(8);
    pieces.push((index === 0 ? "" : " ") + word + (last ? "." : ""));
    if (last) sentence = 0;
  }
  return pieces;
}

const PIECE_MAX = 12;

/** Cuts any text into pieces: words with the space before them, long words in parts; never inside a character. */
export function cutPieces(text: string): string[] {
  const pieces: string[] = [];
  for (const word of text.match(/\s*\S+|\s+$/g) ?? []) {
    if (word.length <= PIECE_MAX) {
      pieces.push(word);
      continue;
    }
    const characters = Array.from(word);
    for (let start = 0; start < characters.length; start += PIECE_MAX)
      pieces.push(characters.slice(start, start + PIECE_MAX).join(""));
  }
  return pieces;
}

const OPENINGS = [
  "Hello from Headgate's simulator: no model was asked and no money was spent.",
  "This is Headgate's built-in simulator speaking, not a real model.",
  "You have reached Headgate's simulator, which stands in for a real model.",
];

const CLOSINGS = [
  "Everything around this answer is real, though: the key was checked, the stream was relayed and the tokens were counted. Add a provider's API key and the same request will reach a real model.",
  "The path your request took is the real one, from your key to the ledger. Give the gateway a provider's API key and a real model will answer here.",
  "Your request went the whole way through the gateway and is on record there. Once a provider's API key is configured, a real model will take my place.",
];

const ECHO_MAX = 400;

/** The answer without a script: friendly, honest about what it is, and about what the user said. */
export function naturalAnswer(userText: string, random: Random): string {
  const said = userText
    .slice(0, 4 * ECHO_MAX)
    .trim()
    .replace(/\s+/g, " ");
  const characters = Array.from(said.slice(0, 2 * ECHO_MAX));
  const echo = characters.length > ECHO_MAX ? `${characters.slice(0, ECHO_MAX).join("")}…` : characters.join("");
  const middle = said === "" ? "Your message held no text for me to take up." : `You said: “${echo}”.`;
  return `${random.pick(OPENINGS)} ${middle} ${random.pick(CLOSINGS)}`;
}

/** The answer after tools have run, citing what each returned. */
export function toolResultAnswer(results: readonly string[], random: Random): string {
  const cited = results.map((result, index) => {
    const text = Array.from(result.trim().slice(0, 2 * ECHO_MAX))
      .slice(0, ECHO_MAX)
      .join("");
    return `Tool result ${index + 1} was: ${text === "" ? "(empty)" : text}`;
  });
  return `${random.pick(OPENINGS)} I read what the tools returned. ${cited.join(". ")}.`;
}
