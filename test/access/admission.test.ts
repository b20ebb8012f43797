import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { admit, compileAccess, refusalReasons } from "../../src/access/admission.ts";
import { compileMentionGate } from "../../src/access/mention-gate.ts";
import type { Message } from "../../src/channels/message.ts";
import { watiSchema, whatsappSchema } from "../../src/config/schema.ts";

const now = Date.UTC(2026, 10, 23);
const ada = "+15551234567";

const message = (
  change: Partial<Omit<Message, "sender">> & { sender?: Partial<Message["sender"]> } = {},
): Message => ({
  id: "m1",
  chat: { kind: "direct" },
  type: "text",
  text: "hi",
  timestamp: now / 1000,
  replyTo: null,
  forwarded: false,
  attachments: [],
  fromMe: false,
  mentionsMe: false,
  backlog: false,
  ...change,
  sender: { phone: ada, userId: null, lid: null, username: null, name: null, ...change.sender },
});

type Settings = v.InferInput<typeof whatsappSchema>;
const access = (backend: "cloud" | "web", settings: Settings) =>
  compileAccess({ backend, config: v.parse(whatsappSchema, settings) }, compileMentionGate);

/** `admitted`, or the reason. */
const verdict = (backend: "cloud" | "web", settings: Settings, received: Message): string => {
  const decision = admit(received, access(backend, settings), now);
  return decision.admitted ? "admitted" : decision.reason;
};

const direct = message();
const group = message({ chat: { kind: "group", id: "g@g.us" } });
const self = message({ chat: { kind: "self" }, fromMe: true });
const ownWords = message({ fromMe: true });
const ownGroupWords = message({ chat: { kind: "group", id: "g@g.us" }, fromMe: true });

describe("Web mode: mode × dm_policy × group_policy × self_chat_mode, for a listed and an unlisted sender", () => {
  const policies = ["allowlist", "ignore", "all"] as const;
  for (const mode of ["business", "personal"] as const) {
    for (const dm_policy of policies) {
      for (const group_policy of policies) {
        for (const self_chat_mode of [false, true]) {
          for (const listed of [false, true]) {
            const settings = {
              mode,
              dm_policy,
              group_policy,
              self_chat_mode,
              allowed_numbers: [listed ? ada : "+15550000000"],
            };
            const byRule = (rule: (typeof policies)[number]): string => {
              const applied = mode === "business" ? "allowlist" : rule;
              if (applied === "ignore") return "policy_ignore";
              return applied === "all" || listed ? "admitted" : "not_allowed";
            };
            test(JSON.stringify(settings), () => {
              const given = (received: Message) => verdict("web", settings, received);
              expect(given(direct)).toBe(byRule(dm_policy));
              expect(given(group)).toBe(byRule(group_policy));
              const answersSelf = mode === "personal" && self_chat_mode;
              expect(given(self)).toBe(answersSelf ? "admitted" : "self_chat_off");
              expect(given(ownWords)).toBe("from_me");
              expect(given(ownGroupWords)).toBe("from_me");
            });
          }
        }
      }
    }
  }
});

const lidOnly = message({ sender: { phone: null, lid: "9@lid" } });
const userOnly = message({ sender: { phone: null, userId: "US.134" } });
const nobody = message({ sender: { phone: null } });
const image = {
  kind: "image",
  mimeType: null,
  filename: null,
  size: null,
  durationSecs: null,
  source: {},
} as const;
const anybody = { allowed_numbers: ["*"] };
const patterns = { ...anybody, dm_mention_patterns: ["@bot"], group_mention_patterns: ["@bot"] };

test.each<
  [name: string, backend: "cloud" | "web", settings: Settings, received: Message, verdict: string]
>([
  ["nothing is configured", "cloud", {}, direct, "allowlist_empty"],
  ["no entry counts", "cloud", { allowed_numbers: ["Ada"] }, direct, "allowlist_empty"],
  ["a listed sender", "cloud", { allowed_numbers: [ada] }, direct, "admitted"],
  ["a listed sender in a group", "cloud", { allowed_numbers: [ada] }, group, "admitted"],
  ["an unlisted sender", "cloud", { allowed_numbers: ["+15550000000"] }, direct, "not_allowed"],
  ["own words, even with a star", "cloud", anybody, ownWords, "from_me"],
  [
    "a self-chat where there is none",
    "cloud",
    { ...anybody, mode: "personal", self_chat_mode: true },
    self,
    "self_chat_off",
  ],
  [
    "a self-chat of somebody else",
    "web",
    { ...anybody, mode: "personal", self_chat_mode: true },
    message({ chat: { kind: "self" } }),
    "self_chat_off",
  ],
  ["a LID against a list of numbers", "web", { allowed_numbers: [ada] }, lidOnly, "unknown_number"],
  ["a LID against a star", "web", anybody, lidOnly, "admitted"],
  [
    "a BSUID against a list of numbers",
    "cloud",
    { allowed_numbers: [ada] },
    userOnly,
    "unknown_number",
  ],
  ["a listed BSUID", "cloud", { allowed_numbers: ["US.134"] }, userOnly, "admitted"],
  ["nobody at all, even with a star", "cloud", anybody, nobody, "no_sender"],
  ["policy all needs no list", "web", { mode: "personal", dm_policy: "all" }, lidOnly, "admitted"],
  [
    "policies are Web's",
    "cloud",
    { ...anybody, mode: "personal", dm_policy: "ignore" },
    direct,
    "admitted",
  ],

  [
    "backlog within the window",
    "web",
    anybody,
    message({ backlog: true, timestamp: now / 1000 - 86_400 }),
    "admitted",
  ],
  [
    "backlog beyond it",
    "web",
    anybody,
    message({ backlog: true, timestamp: now / 1000 - 86_401 }),
    "too_old",
  ],
  ["old, but not found after downtime", "web", anybody, message({ timestamp: 0 }), "admitted"],
  [
    "another window",
    "web",
    { ...anybody, max_backlog_age_secs: 60 },
    message({ backlog: true, timestamp: now / 1000 - 61 }),
    "too_old",
  ],
  ["Cloud has no window", "cloud", anybody, message({ backlog: true, timestamp: 0 }), "admitted"],
  [
    "an old self-chat",
    "web",
    { mode: "personal", self_chat_mode: true },
    { ...self, backlog: true, timestamp: 0 },
    "too_old",
  ],

  ["a mention", "cloud", patterns, message({ text: "@bot hi" }), "admitted"],
  ["no mention", "cloud", patterns, direct, "mention_missing"],
  ["a mention in a group", "cloud", patterns, { ...group, text: "@bot hi" }, "admitted"],
  ["no mention in a group", "cloud", patterns, group, "mention_missing"],
  [
    "each kind of chat has its own gate",
    "cloud",
    { ...anybody, group_mention_patterns: ["@bot"] },
    direct,
    "admitted",
  ],
  ["nothing but the mention", "cloud", patterns, message({ text: "@bot" }), "mention_only"],
  [
    "the list comes before the gate",
    "cloud",
    { ...patterns, allowed_numbers: [] },
    message({ text: "@bot hi" }),
    "allowlist_empty",
  ],
  [
    "a caption with the mention",
    "cloud",
    patterns,
    message({ type: "image", text: "@bot look", attachments: [image] }),
    "admitted",
  ],
  [
    "a caption that is the mention: the picture is left",
    "cloud",
    patterns,
    message({ type: "image", text: "@bot", attachments: [image] }),
    "admitted",
  ],
  [
    "a picture without caption",
    "cloud",
    patterns,
    message({ type: "image", text: "", attachments: [image] }),
    "mention_missing",
  ],
  ["a voice note", "web", patterns, message({ type: "voice", text: "" }), "mention_missing"],
  [
    "a tapped title",
    "cloud",
    patterns,
    message({ type: "interactive", text: "Ask @bot" }),
    "admitted",
  ],
  [
    "a gate of broken patterns",
    "cloud",
    { ...anybody, dm_mention_patterns: ["("] },
    message({ text: "(" }),
    "gate_closed",
  ],
  [
    "the self-chat has no gate",
    "web",
    { ...patterns, mode: "personal", self_chat_mode: true },
    self,
    "admitted",
  ],

  [
    "a real mention, not asked for",
    "web",
    patterns,
    { ...group, mentionsMe: true },
    "mention_missing",
  ],
  [
    "a real mention",
    "web",
    { ...patterns, mention_me: true },
    { ...group, mentionsMe: true },
    "admitted",
  ],
  [
    "no mention where a real one would do",
    "web",
    { ...patterns, mention_me: true },
    group,
    "mention_missing",
  ],
  [
    "a real mention and nothing else",
    "web",
    { ...patterns, mention_me: true },
    { ...group, text: "@bot", mentionsMe: true },
    "mention_only",
  ],
  [
    "a real mention does not open the list",
    "web",
    { ...patterns, allowed_numbers: [], mention_me: true },
    { ...group, mentionsMe: true },
    "allowlist_empty",
  ],
  [
    "a real mention does not open a closed gate",
    "web",
    { ...anybody, group_mention_patterns: ["("], mention_me: true },
    { ...group, mentionsMe: true },
    "gate_closed",
  ],
  [
    "a reply in a direct chat is no mention",
    "web",
    { ...patterns, mention_me: true },
    message({ mentionsMe: true }),
    "mention_missing",
  ],
  [
    "mention_me is Web's",
    "cloud",
    { ...patterns, mention_me: true },
    { ...group, mentionsMe: true },
    "mention_missing",
  ],
  [
    "mention_me without patterns shuts nothing",
    "web",
    { ...anybody, mention_me: true },
    group,
    "admitted",
  ],
])("%s", (_name, backend, settings, received, expected) => {
  expect(verdict(backend, settings, received)).toBe(expected);
});

test("only the text of an admitted message changes, and the one given stays as it was", () => {
  const received = message({ text: "@bot  hi" });
  const decision = admit(received, access("cloud", patterns), now);
  expect(decision).toEqual({ admitted: true, message: { ...received, text: "hi" } });
  expect(received.text).toBe("@bot  hi");
});

test("WATI: the allowlist alone", () => {
  const config = v.parse(watiSchema, { allowed_numbers: [ada] });
  const rules = compileAccess({ backend: "wati", config }, compileMentionGate);
  expect(admit(direct, rules, now).admitted).toBe(true);
  expect(admit(message({ sender: { phone: "+15550000000" } }), rules, now)).toMatchObject({
    reason: "not_allowed",
  });
  expect(admit(ownWords, rules, now)).toMatchObject({ reason: "from_me" });
});

test("what does not count is noticed, with its key", () => {
  const { notices } = access("cloud", {
    allowed_numbers: [ada, "Ada"],
    dm_mention_patterns: ["@bot", "("],
    group_mention_patterns: ["["],
  });
  expect(notices.map(({ level, key }) => `${level} ${key}`)).toEqual([
    "warning channels_config.whatsapp.dm_mention_patterns[1]",
    "warning channels_config.whatsapp.group_mention_patterns[0]",
    "error channels_config.whatsapp.group_mention_patterns",
  ]);
});

test("a refusal repeats neither text nor number", () => {
  const received = message({ text: "my secret" });
  for (const settings of [{}, { allowed_numbers: ["+15550000000"] }, patterns]) {
    const said = JSON.stringify(admit(received, access("web", settings), now));
    expect(said).not.toContain("secret");
    expect(said).not.toContain("555123");
  }
});

test("every reason is a label of metrics and a sentence for people", () => {
  for (const [reason, sentence] of Object.entries(refusalReasons)) {
    expect(reason).toMatch(/^[a-z_]+$/);
    expect(sentence).toEndWith(".");
  }
});
