import { expect, test } from "bun:test";
import { chatPolicy, type ChatRule } from "../../src/access/policy.ts";

const rules: ChatRule[] = ["allowlist", "ignore", "all"];
const combinations = rules.flatMap((dm_policy) =>
  rules.flatMap((group_policy) =>
    [false, true].map((self_chat_mode) => {
      const set = { dm_policy, group_policy, self_chat_mode };
      return [JSON.stringify(set), set] as const;
    }),
  ),
);

test.each(combinations)("personal %s: as it says", (_name, set) => {
  expect(chatPolicy("web", { ...set, mode: "personal" })).toEqual({
    direct: set.dm_policy,
    group: set.group_policy,
    self: set.self_chat_mode,
  });
});

const listOnly = { direct: "allowlist", group: "allowlist", self: false } as const;

test.each(combinations)("business, or another backend, %s: the allowlist alone", (_name, set) => {
  expect(chatPolicy("web", { ...set, mode: "business" })).toEqual(listOnly);
  expect(chatPolicy("cloud", { ...set, mode: "personal" })).toEqual(listOnly);
  expect(chatPolicy("wati", { ...set, mode: "personal" })).toEqual(listOnly);
});
