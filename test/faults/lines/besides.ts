/** What holds besides the lines, for one request or connection: names of tests, and lines of docs/reference/faults.md. */
export const besides = {
  longDrain: "A drain that takes longer than `drainMs` is ended, and charged an estimate.",
  quotedKey:
    "A provider that quotes the gateway's own key in its refusal does not get it to the caller, the log or the store.",
  brokenAfterWhole:
    "A whole answer is whole also where its connection breaks after its last byte, before its body has ended as HTTP requires.",
  boundlessBody: "A body of a gigabyte, compressed or not, takes little memory.",
  slowWholeReader: "A caller who does not read a whole answer for `timeouts.idleMs` is hung up on.",
  slowCompressed: "A compressed stream is not unpacked in memory for a caller who does not read.",
  idleConnections: "Idle connections are closed after `server.keepAliveTimeoutMs`.",
  finishing: "A gateway that is stopped lets streams finish that can within the grace period.",
  lateRequest: "A gateway that is stopped refuses what comes on open connections with 503, while others finish.",
  lateReader: "A gateway that is stopped delivers an answer that waits for a slow reader, and closes the connection.",
  idleAtStop: "A gateway that is stopped closes idle connections at once, and those in use after their answer.",
  readsNothingAtStop: "A gateway that is stopped cuts off a caller who reads nothing, a moment after the grace period.",
  drainAtStop: "A gateway that is stopped does not wait for the tail of a stream whose caller has left.",
  killedAnywhere:
    "A gateway that is killed at random instants, among requests of one call and of several, has each of them in one of the states above at its next start, and in the ledger whatever the provider billed, once.",
} as const;
