/** A whole number from the command line. Throws with a sentence that names the flag. */
export function readCount(flag: string, text: string, max: number = 999_999_999): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${flag} takes a whole number, not ${JSON.stringify(text)}.`);
  if (Number(text) > max) throw new Error(`--${flag} takes at most ${max}.`);
  return Number(text);
}
