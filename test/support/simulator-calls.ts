/** What tests of the simulator ask it for, again and again. */
import { send, type Reply } from "./simulator-client.ts";

export const openAiKey = { authorization: "Bearer sk-test-1234" } as const;
export const hello: { role: "user"; content: string }[] = [{ role: "user", content: "Tell me of the river" }];

/** JSON Schema of a tool's arguments. */
export const weather: Record<string, unknown> = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
  required: ["city", "days"],
};

export type Chat = (body: object, headers?: Readonly<Record<string, string>>) => Promise<Reply>;

/** Asks for a chat completion of `sim-chat` that says hello, where `body` does not say otherwise. */
export function createChat(simulator: () => { readonly url: string }): Chat {
  return (body, headers = openAiKey) =>
    send(`${simulator().url}/v1/chat/completions`, {
      headers,
      body: { model: "sim-chat", messages: hello, ...body },
    });
}

export type Json = ReturnType<typeof JSON.parse>;

export function parseJson(text: string): Json {
  return JSON.parse(text);
}
