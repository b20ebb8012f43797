import { builtin } from "../runtime/builtin.ts";
import {
  AgentError,
  longestWishMs,
  type Agent,
  type AgentPart,
  type AgentReply,
  type TurnMessage,
  type TurnRequest,
} from "../agent/agent.ts";
import { promptLead, promptText } from "../agent/prompt.ts";
import type { Channel } from "../channels/channel.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import type {
  ConversationStore,
  FinishedTurn,
  PendingMessage,
  StoredChat,
} from "../store/contract.ts";
import type { DeliveryContent, Message } from "../channels/message.ts";
import { toDelivery } from "./delivery.ts";
import { reasonOf } from "./reason.ts";
import type { Speak } from "./speak.ts";
import type { Alarms } from "../telemetry/alarms.ts";
import type { Logger } from "../telemetry/log.ts";

/** First pause between tries of an agent, ms; it doubles. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** What a turn works with. */
export interface TurnWork {
  store: ConversationStore;
  agent: Agent;
  /** A stored message as the agent sees it: its files fetched, its voice heard. */
  prepare(
    channel: Channel,
    entry: PendingMessage,
    signal: AbortSignal,
    /** Files and words that are not there by then are done without. */
    patience: AbortSignal,
  ): Promise<TurnMessage>;
  /** An answer as deliveries' contents. */
  compose(
    channel: Channel,
    request: TurnRequest,
    turn: { messageId: number },
    parts: AgentPart[],
  ): Promise<DeliveryContent[]>;
  /** Absent: answers are not spoken. */
  speak?: Speak;
  timeoutMs: number;
  maxHistory: number;
  systemPrompt: string | null;
  /** What the customer reads when a turn fails for good; "" says nothing. */
  failureReply: string;
  clock: Clock;
  log: Logger;
  alarms: Alarms;
}

export interface TurnSignals {
  /** Ends the turn wherever it is. */
  signal: AbortSignal;
  /** Lets a running call of the agent end, but begins no other try. */
  closing: AbortSignal;
}

export interface TurnResult {
  finished: FinishedTurn;
  outcome: "answered" | "silent" | "failed";
  /** Makes the voice note that follows, if any; the answer does not wait for it. */
  speak?: (signal: AbortSignal) => Promise<DeliveryContent | null>;
}

/**
 * One turn from its messages to what is to be stored. A failing agent is tried again while the time-out lasts; then
 * the result is the failure reply. Throws only where a signal ends it: the turn then begins anew another time.
 */
export async function runTurn(
  work: TurnWork,
  channel: Channel,
  stored: StoredChat,
  burst: PendingMessage[],
  { signal, closing }: TurnSignals,
): Promise<TurnResult> {
  const deadline = new AbortController();
  const cancel = work.clock.after(work.timeoutMs, () =>
    deadline.abort(new AgentError(`no answer within ${work.timeoutMs / 1000} s`, false)),
  );
  const both = AbortSignal.any([signal, deadline.signal]);
  const patience = new AbortController();
  const hurry = work.clock.after(work.timeoutMs / 2, () =>
    patience.abort(new Error("it took too long")),
  );
  const turnId = turnIdOf(stored, burst);
  const first = burst[0];
  if (!first) throw new Error("a turn needs a message");
  try {
    const messages = await preparedOf(work, channel, burst, { signal, both, patience });
    const request: TurnRequest = {
      turn_id: turnId,
      channel: channel.name,
      backend: channel.backend,
      chat: { id: stored.chat.id, kind: stored.chat.kind },
      messages: messages ?? [],
      history: work.store.history(stored.id, work.maxHistory),
      ...(work.systemPrompt === null ? {} : { system_prompt: work.systemPrompt }),
    };
    const heard = burst.map(({ id, message }, index) => {
      const seen = messages?.[index];
      const text = (newest: Message) => {
        const edited = newest.text !== message.text;
        const read = seen && (edited ? { ...seen, text: newest.text } : seen);
        return (read ? promptText(read, stored.chat.kind) : newest.text) || `[${message.type}]`;
      };
      const lead = seen ? promptLead(seen, stored.chat.kind) : "";
      return { role: "user" as const, text, lead, messageId: id };
    });
    const answer =
      messages &&
      (await answerOf(work, channel, request, { messageId: first.id }, both, { signal, closing }));
    signal.throwIfAborted();
    const finished = (contents: DeliveryContent[], said: string[]): FinishedTurn => ({
      chat: stored.id,
      turnId,
      messages: burst.map((entry) => entry.id),
      history: [
        ...heard,
        ...said.map((text) => ({ role: "assistant" as const, text, messageId: null })),
      ],
      keepHistory: work.maxHistory,
      deliveries: contents.map((content) => toDelivery(content, work.clock.now())),
    });
    if (answer === null) {
      const contents = channel
        .renderText(work.failureReply)
        .map<DeliveryContent>((text) => ({ kind: "text", text, quote: null }));
      return { finished: finished(contents, []), outcome: "failed" };
    }
    const said = answer.parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
    return {
      finished: finished(answer.contents, said.length > 0 ? [said.join("\n\n")] : []),
      outcome: answer.contents.length > 0 ? "answered" : "silent",
      ...(work.speak && {
        speak: work.speak.bind(null, request, { messageId: first.id }, answer.parts),
      }),
    };
  } finally {
    hurry();
    cancel();
  }
}

/** The messages as the agent sees them, or null where the turn's time was up before. Throws where a stop ends it. */
async function preparedOf(
  work: TurnWork,
  channel: Channel,
  burst: PendingMessage[],
  ends: { signal: AbortSignal; both: AbortSignal; patience: AbortController },
): Promise<TurnMessage[] | null> {
  const { signal, both, patience } = ends;
  const messages: TurnMessage[] = [];
  try {
    for (const entry of burst) {
      messages.push(await raced(work.prepare(channel, entry, both, patience.signal), both));
    }
    return messages;
  } catch (error) {
    signal.throwIfAborted();
    if (!both.aborted) throw error;
    work.alarms.raise("agent", "failed", `A turn's time was up: ${describe(both.reason)}`);
    return null;
  }
}

/** The agent's answer with its deliveries, or null when the turn failed for good. */
async function answerOf(
  work: TurnWork,
  channel: Channel,
  request: TurnRequest,
  turn: { messageId: number },
  both: AbortSignal,
  { signal: shutdown, closing }: TurnSignals,
): Promise<(AgentReply & { contents: DeliveryContent[] }) | null> {
  const alarm = "agent";
  let reply: AgentReply | null = null;
  let detail = "";
  let failures = 0;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    let wished = 0;
    try {
      reply ??= await raced(work.agent.run(request, both), both);
      const contents = await raced(work.compose(channel, request, turn, reply.parts), both);
      work.alarms.clear(alarm);
      return { ...reply, contents };
    } catch (error) {
      shutdown.throwIfAborted();
      detail = describe(both.aborted ? both.reason : error);
      const failed = reply === null || error instanceof AgentError;
      work.log.warn(
        { turn: request.turn_id, agent: work.agent.kind },
        `${failed ? "agent failed" : "the files of an answer cannot be kept"}: ${detail}`,
      );
      // A full disk, say, is not the agent's: to ask again would cost once more, and might say something else.
      if (failed) reply = null;
      if (both.aborted || (error instanceof AgentError && !error.retryable)) {
        work.alarms.raise(alarm, "failed", `The ${work.agent.kind} agent fails: ${detail}`);
        return null;
      }
      // Once may pass; what goes on may do so until the time is up, minutes from now.
      if (failed && ++failures > 1) {
        const hint = `The ${work.agent.kind} agent fails, and is asked again: ${detail}`;
        work.alarms.raise(alarm, "failed", hint);
      }
      if (error instanceof AgentError) wished = Math.min(error.afterMs, longestWishMs);
    }
    await sleep(work.clock, Math.max(pause, wished), AbortSignal.any([both, closing])).catch(
      () => {},
    );
    shutdown.throwIfAborted();
    closing.throwIfAborted();
    if (both.aborted) {
      work.alarms.raise(
        alarm,
        "failed",
        `The ${work.agent.kind} agent fails until its time is up: ${detail}`,
      );
      return null;
    }
  }
}

/** Who ignores the signal must not hold the lane. */
function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function describe(error: unknown): string {
  return error instanceof AgentError ? error.detail : reasonOf(error);
}

/** The same messages give the same id, so that an agent recognises a turn that a restart repeats. */
function turnIdOf(stored: StoredChat, burst: PendingMessage[]): string {
  const { channel, account } = stored.source;
  const key = [channel, account, ...burst.map((entry) => entry.message.id)].join("\n");
  return `turn_${builtin.crypto().createHash("sha256").update(key).digest("hex").slice(0, 24)}`;
}
