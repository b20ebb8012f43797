import { startTarget, type Target } from "../../net/target.ts";

/** A provider in OpenAI's style that always says the same. */
export function startModel(answer: string): Promise<Target> {
  return startTarget((_, outgoing) => {
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(
      JSON.stringify({
        id: "c1",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [
          { index: 0, message: { role: "assistant", content: answer }, finish_reason: "stop" },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
  });
}
