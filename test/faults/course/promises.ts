/** What holds where there are several targets or calls: the names of tests, and lines of docs/reference/faults.md. */
export const promises = {
  longPrompt:
    "A prompt that a target finds too long goes to one whose context window is known to be larger, by the catalogue or by the configuration; where there is none, to each other model whose window is unknown, once.",
  storm:
    "A target that is overloaded (529) for long is left alone after a few calls, and every caller is answered by the other target.",
  stormAlone:
    "It is left alone also where there is no other: few calls are made, and callers get 503 `target_unavailable` with `retry-after`.",
  limitedAlone:
    "A target that limits its rate (429) and says for how long is not called until then: where there is no other, callers meanwhile get 429 `target_limited`, with `retry-after` for the rest of that time.",
  limitedBeside:
    "A target that limits its rate (429) and does not say for how long is called ever more rarely while it answers nobody, down to once in two seconds, and the other target answers every caller.",
  flapping: "A target that fails every other time fails no caller where there is another.",
  recovering:
    "A target that recovers is probed by one call, then by two, then called as before; the other target serves the rest meanwhile.",
  ownBounds:
    "A target that writes until `timeouts.totalMs` is over, or more than `limits.responseBytes`, is not left alone for that.",
  leftTwoCalls:
    "A caller who leaves while two targets are at work ends both calls at once, and is charged an estimate of the input of both.",
  leftPause: "A caller who leaves while the gateway waits to call again causes no further call.",
  shortDeadline:
    "A `retry-after` that does not fit the caller's deadline is not waited for: the caller is told of it at once.",
  lateFailure: "A target that fails late is replaced by another within what is left of the caller's deadline.",
  deafLoser:
    "A target that lost to another and ignores its cancellation keeps nobody waiting, and is charged an estimate of the input.",
  earlyCut: "With `commit: window`, a stream that is cut within its window is replaced by another target's.",
  lateCut: "With `commit: window`, a stream that is cut after its window ends with an error event.",
} as const;
