import { describe, expect, test } from "bun:test";
import { changeBody, messageItem, messagesBody, parse, reasons } from "./bodies.ts";

describe("identities", () => {
  const identity = (event: object) => ({
    kind: "identity",
    previousUserId: null,
    previousPhone: null,
    ...event,
  });
  const person = (phone: string | null, userId: string | null) => ({
    phone,
    userId,
    lid: null,
    username: null,
    name: null,
  });
  const system = (item: object, from: object = {}) =>
    parse(messagesBody([messageItem({ type: "system", system: item, ...from })], { contacts: [] }));

  test("a changed number", () => {
    expect(system({ type: "user_changed_number", wa_id: "12195555358", body: "…" })).toEqual([
      identity({ sender: person("+12195555358", null), previousPhone: "+16505551234" }) as never,
    ]);
  });

  test("a changed number, as Meta wrote it before", () => {
    const item = { type: "user_changed_number", wa_id: "16505551234", new_wa_id: "12195555358" };
    expect(system(item)).toEqual([
      identity({ sender: person("+12195555358", null), previousPhone: "+16505551234" }) as never,
    ]);
  });

  test("a changed user id, the old one outside the body", () => {
    const item = { type: "user_changed_user_id", user_id: "US.2" };
    expect(system(item, { from: undefined, from_user_id: "US.1" })).toEqual([
      identity({ sender: person(null, "US.2"), previousUserId: "US.1" }) as never,
    ]);
  });

  test("a changed user id, the old one in the body", () => {
    const body = "User Ada changed from US.1 to US.2";
    expect(
      system({ type: "user_changed_user_id", user_id: "US.2", wa_id: "12195555358", body }),
    ).toEqual([
      identity({
        sender: person("+12195555358", "US.2"),
        previousPhone: "+16505551234",
        previousUserId: "US.1",
      }) as never,
    ]);
  });

  test("a name that imitates the sentence steals nobody's id", () => {
    const body = "User x changed from US.VICTIM to US.2 changed from US.1 to US.2";
    expect(
      system({ type: "user_changed_user_id", user_id: "US.2", body }, { from: undefined }),
    ).toEqual([identity({ sender: person(null, "US.2"), previousUserId: "US.1" }) as never]);
    for (const end of [
      "changed from US.VICTIM to US.3",
      "renamed from US.VICTIM to US.2",
      "changed for US.VICTIM to US.2",
      "changed from US.VICTIM and US.2",
    ]) {
      const item = { type: "user_changed_user_id", user_id: "US.2", body: `User ${end}` };
      expect(reasons(system(item, { from: undefined }))).toEqual(["system"]);
    }
  });

  test.each<[string, unknown]>([
    ["no system", undefined],
    ["a system that is none", 7],
    ["another change", { type: "customer_identity_changed", wa_id: "12195555358" }],
    ["a change to nobody", { type: "user_changed_number" }],
    ["a change without a type", { wa_id: "12195555358", user_id: "US.2" }],
  ])("%s ties nobody to anybody", (_name, item) => {
    expect(reasons(system(item as object, { from_user_id: "US.1" }))).toEqual(["system"]);
  });

  test("a changed number has no id in its words, whatever they imitate", () => {
    const body = "User Ada changed from US.VICTIM to US.2";
    expect(
      system({ type: "user_changed_number", wa_id: "12195555358", user_id: "US.2", body }),
    ).toEqual([
      identity({ sender: person("+12195555358", "US.2"), previousPhone: "+16505551234" }) as never,
    ]);
  });

  test("a change to the same is none, and its words may be missing", () => {
    const same = { type: "user_changed_user_id", wa_id: "16505551234", user_id: "US.1" };
    expect(system(same, { from_user_id: "US.1" })).toEqual([
      identity({ sender: person("+16505551234", "US.1") }) as never,
    ]);
    expect(reasons(system({ ...same, user_id: undefined }))).toEqual(["system"]);
  });

  test("field user_id_update", () => {
    const item = {
      wa_id: "16505551234",
      user_id: { previous: "US.1", current: "US.2" },
      timestamp: "1",
    };
    expect(parse(changeBody("user_id_update", { user_id_update: [item, 7, {}, null] }))).toEqual([
      identity({ sender: person("+16505551234", "US.2"), previousUserId: "US.1" }) as never,
      { kind: "ignored", reason: "malformed" },
      { kind: "ignored", reason: "malformed" },
      { kind: "ignored", reason: "malformed" },
    ]);
  });

  test("a sent status ties number and BSUID, a group's does not", () => {
    const status = {
      id: "wamid.S",
      status: "sent",
      timestamp: "5",
      recipient_id: "16505551234",
      recipient_user_id: "US.1",
    };
    expect(parse(messagesBody([], { statuses: [status] }))[1]).toEqual(
      identity({ sender: person("+16505551234", "US.1") }) as never,
    );
    expect(
      parse(messagesBody([], { statuses: [{ ...status, recipient_type: "group" }] })),
    ).toHaveLength(1);
  });
});
