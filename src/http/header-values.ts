/**
 * Makes the values of a response's headers fit to be sent, in place: Latin-1 texts that node:http refuses, control
 * characters and line ends among them, would break the response, and some of these texts are a caller's or a
 * provider's. Anything but printable ASCII becomes `?`. Every responder passes its headers through here.
 *
 * `headers`: alternating names and values; names are the gateway's own.
 */
export function makeHeaderValuesSafe(headers: string[]): void {
  for (let index = 1; index < headers.length; index += 2) {
    const value = headers[index] ?? "";
    if (UNSAFE.test(value)) headers[index] = value.replace(EVERY_UNSAFE, "?");
  }
}

const UNSAFE = /[^\x20-\x7e]/;
const EVERY_UNSAFE = /[^\x20-\x7e]/g;
