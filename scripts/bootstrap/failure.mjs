/** What a person can do something about: printed without a stack trace. */
export class Failure extends Error {}
