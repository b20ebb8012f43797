import { beforeEach, describe, expect, test } from "bun:test";
import {
  type Agent,
  AgentError,
  type AgentReply,
  type TurnRequest,
} from "../../src/agent/agent.ts";
import { replyComposer } from "../../src/conversation/compose.ts";
import { runTurn, type TurnResult, type TurnWork } from "../../src/conversation/turn.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";
import { settle } from "../support/settle.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message } from "../support/store.ts";
import { workOver } from "../support/turns.ts";

const trial = storeTrial();
let alarms: Alarms;
let requests: TurnRequest[];

beforeEach(() => {
  alarms = new Alarms(trial.clock, silentLog);
  requests = [];
});

const text = (...texts: string[]): AgentReply => ({
  parts: texts.map((each) => ({ kind: "text", text: each })),
});
const fails = (retryable: boolean) => async (): Promise<AgentReply> => {
  throw new AgentError("it broke", retryable);
};
const never = () => new Promise<never>(() => {});

/** A turn of one stored message, whose agent answers so, the last one for ever; so many seconds go by. */
async function turn(
  answers: (() => Promise<AgentReply>)[],
  changes: Partial<TurnWork> = {},
  seconds = 40,
): Promise<TurnResult> {
  const { admitted } = await trial.store.accept(
    cloud,
    [{ kind: "message", message: message({ text: "hello" }) }],
    everybody,
  );
  const chat = trial.store.chat(admitted[0]?.chat ?? 0);
  if (!chat) throw new Error("no chat");
  const run: Agent["run"] = (request) => {
    requests.push(request);
    const next = answers.length > 1 ? answers.shift() : answers[0];
    return (next ?? never)();
  };
  const work = workOver(trial.store, trial.clock, run, {
    compose: replyComposer({ mediaFolder: trial.folder, mediaDir: null, keep: async () => {} }),
    alarms,
    ...changes,
  });
  const running = new AbortController();
  const signals = { signal: running.signal, closing: running.signal };
  const burst = trial.store.pendingMessages(chat.id, 1);
  const result = runTurn(work, fakeChannel(), chat, burst, signals);
  for (let i = 0; i < seconds; i++) {
    await settle();
    await trial.clock.advance(1_000);
  }
  return await result;
}

const said = (result: TurnResult) =>
  result.finished.deliveries.map(({ content }) => (content.kind === "text" ? content.text : ""));
const remembered = ({ finished }: TurnResult) =>
  finished.history.filter(({ role }) => role === "assistant").map((row) => row.text);

describe("the agent is asked", () => {
  test("with a system prompt where there is one, and with none where there is not", async () => {
    await turn([async () => text("hi")], { systemPrompt: "Be kind." });
    await turn([async () => text("hi")]);
    expect(requests.map((request) => request.system_prompt)).toEqual(["Be kind.", undefined]);
    expect(requests.map((request) => "system_prompt" in request)).toEqual([true, false]);
  });

  test("again after a pause that doubles, until it answers", async () => {
    const asked: number[] = [];
    const agent = (answer: () => Promise<AgentReply>) => () => {
      asked.push(trial.clock.now());
      return answer();
    };
    const began = trial.clock.now();
    const broken = agent(fails(true));
    const answers = [broken, broken, broken, agent(async () => text("hi"))];
    expect(said(await turn(answers))).toEqual(["hi"]);
    expect(asked.map((at) => at - began)).toEqual([0, 1_000, 3_000, 7_000]);
  });

  test("anew where its answer cannot be sent, and not where it is only not kept", async () => {
    const refusals = [new AgentError("no such file", true), new Error("disk full")];
    const sent = replyComposer({ mediaFolder: "", mediaDir: null, keep: async () => {} });
    const compose: TurnWork["compose"] = async (...words) => {
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      return sent(...words);
    };
    const answers = [async () => text("one"), async () => text("two"), async () => text("three")];
    const logged: string[] = [];
    const log = { ...silentLog, warn: (_: object, words: string) => void logged.push(words) };
    expect(said(await turn(answers, { compose, log }))).toEqual(["two"]);
    expect(requests.length).toBe(2);
    expect(logged).toEqual([
      "agent failed: no such file",
      "the files of an answer cannot be kept: disk full",
    ]);
  });

  test("no sooner than it wishes, up to a minute", async () => {
    const asked: number[] = [];
    const began = trial.clock.now();
    const wishing = (afterMs: number) => async () => {
      asked.push((trial.clock.now() - began) / 1000);
      throw new AgentError("busy", true, afterMs);
    };
    const answers = [wishing(5_000), wishing(0), wishing(500), wishing(86_400_000), wishing(0)];
    await turn(answers, { timeoutMs: 75_000 }, 80);
    expect(asked).toEqual([0, 5, 7, 11, 71]);
  });
});

describe("a turn that ends", () => {
  test("with several texts remembers them as one answer", async () => {
    const result = await turn([async () => text("one", "two")]);
    expect(result.outcome).toBe("answered");
    expect(said(result)).toEqual(["one", "two"]);
    expect(remembered(result)).toEqual(["one\n\ntwo"]);
  });

  test("in a reaction alone is answered, and nothing was said", async () => {
    const result = await turn([async () => ({ parts: [{ kind: "reaction", emoji: "👍" }] })]);
    expect(result.outcome).toBe("answered");
    expect(remembered(result)).toEqual([]);
  });

  test("in silence says nothing and remembers no answer", async () => {
    const result = await turn([async () => ({ parts: [] })]);
    expect(result).toMatchObject({ outcome: "silent", finished: { deliveries: [] } });
    expect(remembered(result)).toEqual([]);
  });

  test("leaves no timer behind", async () => {
    await turn([async () => text("hi")], {}, 0);
    expect(trial.clock.pending).toBe(0);
  });
});

describe("a turn that fails", () => {
  const endings: [name: string, answers: (() => Promise<AgentReply>)[], alarm: string][] = [
    ["for good", [fails(false)], "The webhook agent fails: it broke"],
    [
      "until its time is up",
      [fails(true)],
      "The webhook agent fails until its time is up: it broke",
    ],
    ["by hanging", [never], "The webhook agent fails: no answer within 30 s"],
  ];
  test.each(endings)("%s says so to the customer and to the operator", async (_, answers, hint) => {
    const result = await turn(answers);
    expect(result.outcome).toBe("failed");
    expect(said(result)).toEqual(["Sorry."]);
    expect(remembered(result)).toEqual([]);
    expect(alarms.get("agent")).toMatchObject({ code: "failed", hint });
    expect(trial.clock.pending).toBe(0);
  });

  test("is silent where no failure reply is wanted", async () => {
    const result = await turn([fails(false)], { failureReply: "" });
    expect(result).toMatchObject({ outcome: "failed", finished: { deliveries: [] } });
  });

  test("before the agent was asked fails all the same", async () => {
    const result = await turn([async () => text("hi")], { prepare: never });
    expect(result.outcome).toBe("failed");
    expect(requests).toEqual([]);
    expect(alarms.get("agent")?.hint).toBe("A turn's time was up: no answer within 30 s");
  });

  test("is told to the operator while it is still tried again, from the second time on", async () => {
    const hints: (string | undefined)[] = [];
    const failing = async () => {
      hints.push(alarms.get("agent")?.hint);
      throw new AgentError("it broke", true);
    };
    const last = async () => {
      hints.push(alarms.get("agent")?.hint);
      return text("hi");
    };
    await turn([failing, failing, last]);
    const hint = "The webhook agent fails, and is asked again: it broke";
    expect(hints).toEqual([undefined, undefined, hint]);
    expect(alarms.list()).toEqual([]);
  });

  test("raises an alarm that the next answer ends", async () => {
    await turn([fails(false)]);
    expect(alarms.get("agent")).not.toBeNull();
    await turn([async () => text("hi")]);
    expect(alarms.list()).toEqual([]);
  });
});
