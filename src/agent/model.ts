import type { Fetch } from "../net/fetch.ts";
import type { Clock } from "../runtime/clock.ts";
import { onceLoaded } from "../runtime/once.ts";
import type { Logger } from "../telemetry/log.ts";
import { AgentError, type Agent, type TurnRequest } from "./agent.ts";
import { readImages, type TurnImage } from "./images.ts";
import { mayRefuseImages, modelError, refusesImages } from "./model-error.ts";
import { maxTextBytes } from "./protocol.ts";
import { promptMessages } from "./prompt.ts";
import { providerFetch } from "./provider-fetch.ts";
import { loadModel, type Provider } from "./providers.ts";

export interface ModelOptions {
  provider: Provider;
  model: string;
  temperature: number | undefined;
  fetch: Fetch;
  clock: Clock;
  log: Logger;
}

/** Asks a language model. The SDK is loaded with the first turn, not before. */
export function createModelAgent(options: ModelOptions): Agent {
  const { provider, log } = options;
  const fetch = providerFetch(options.fetch, provider.name, options.clock);
  const load = onceLoaded(() => loadModel(provider, options.model, fetch));
  let toldOfImages = false;

  return {
    kind: "model",
    async run(request, signal) {
      const images = await readImages(request.messages);
      let refusal: unknown;
      try {
        return await answer(request, images, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (images.size === 0 || !mayRefuseImages(error)) throw modelError(error, provider);
        refusal = error;
      }
      const turn = request.turn_id;
      log.info({ turn }, "the model took no pictures; asking it with text alone");
      try {
        const reply = await answer(request, new Map(), signal);
        if (!toldOfImages && refusesImages(refusal)) {
          toldOfImages = true;
          log.warn(
            { turn },
            `${provider.name} says that ${options.model} takes no pictures, so it is told of them in words alone: where it should see them, set default_model to one that does`,
          );
        }
        return reply;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw modelError(error, provider);
      }
    },
    async probe(signal) {
      try {
        // A reasoning model may spend these few tokens without a word: that it answers is all that is asked.
        await generate(
          { messages: [{ role: "user", content: "ping" }], maxOutputTokens: 16 },
          signal,
        );
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw modelError(error, provider);
      }
      return `${provider.name} answers as ${options.model}`;
    },
  };

  async function answer(
    request: TurnRequest,
    images: ReadonlyMap<string, TurnImage>,
    signal: AbortSignal,
  ) {
    const { text, finishReason } = await generate(
      {
        messages: promptMessages(request, images),
        ...(request.system_prompt ? { instructions: request.system_prompt.toWellFormed() } : {}),
        ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
      },
      signal,
    );
    if (text.trim() === "") {
      // A model does not choose silence; an empty answer is a fault, and a filter's verdict stays the same.
      throw new AgentError(
        `${provider.name} gave an empty answer (${finishReason})`,
        finishReason !== "content-filter",
      );
    }
    if (Buffer.byteLength(text) > maxTextBytes) {
      throw new AgentError(
        `${provider.name} gave an answer of more than ${maxTextBytes} bytes`,
        true,
      );
    }
    return { parts: [{ kind: "text" as const, text }] };
  }

  async function generate(prompt: Pick<GenerateOptions, PromptKeys>, signal: AbortSignal) {
    if (provider.missing) throw new AgentError(provider.missing, false);
    signal.throwIfAborted();
    // The SDK would write its warnings to the console, which belongs to the log.
    globalThis.AI_SDK_LOG_WARNINGS = false;
    const { generateText } = await import("ai");
    return await generateText({
      model: await load(),
      ...prompt,
      // The turns repeat a failed one themselves.
      maxRetries: 0,
      telemetry: { isEnabled: false },
      abortSignal: signal,
    });
  }
}

type GenerateOptions = Parameters<typeof import("ai").generateText>[0] & {
  messages: import("ai").ModelMessage[];
};
type PromptKeys = "messages" | "instructions" | "temperature" | "maxOutputTokens";
