/** An error as it is kept under an `Idempotency-Key`, to be rendered anew for whoever asks again. */
import { type ErrorCode, type ErrorOptions, HeadgateError } from "../../kernel/errors.ts";

interface KeptFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly options: ErrorOptions;
}

export function encodeFailure(failure: HeadgateError): Uint8Array {
  const { code, message, status, param, shouldRetry, upstream } = failure;
  const options: ErrorOptions = {
    status,
    ...(param === null ? {} : { param }),
    ...(shouldRetry === null ? {} : { shouldRetry }),
    ...(upstream === null ? {} : { upstream }),
  };
  const kept: KeptFailure = { code, message, options };
  return Buffer.from(JSON.stringify(kept));
}

/** Of what `encodeFailure` gave. */
export function decodeFailure(bytes: Uint8Array): HeadgateError {
  const { code, message, options } = JSON.parse(Buffer.from(bytes).toString("utf8")) as KeptFailure;
  return new HeadgateError(code, message, options);
}
