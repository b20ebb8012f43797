import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { BinaryNode } from "@whiskeysockets/baileys";
import { changedDevices } from "../../../src/channels/whatsapp-web/device-lists.ts";
import type { Mappings } from "../../../src/channels/whatsapp-web/identity.ts";
import { Harness } from "./harness.ts";

const ADA = "491700000001@s.whatsapp.net";
const ADA_LID = "900491700000001@lid";
const self = { phone: "+15550001000", lid: "900015550001000@lid" };
const unknown: Mappings = { phoneOfLid: () => null, lidOfPhone: () => null };
const known: Mappings = { phoneOfLid: () => "+491700000001", lidOfPhone: () => ADA_LID };

describe("whose devices a notification says to be others", () => {
  const notification = (attrs: BinaryNode["attrs"], tag = "add"): BinaryNode => ({
    ...{ tag: "notification", attrs },
    content: [{ tag, attrs: {} }],
  });

  test.each<[BinaryNode["attrs"], Mappings, string[]]>([
    [{ type: "devices", from: ADA, lid: ADA_LID }, unknown, ["491700000001", "900491700000001"]],
    [{ type: "devices", from: ADA }, known, ["491700000001", "900491700000001"]],
    [{ type: "devices", from: ADA_LID }, known, ["491700000001", "900491700000001"]],
    [{ type: "devices", from: ADA_LID }, unknown, ["900491700000001"]],
    [{ type: "devices", from: ADA }, unknown, ["491700000001"]],
    [{ type: "devices" }, unknown, []],
    [{ type: "encrypt", from: ADA, lid: ADA_LID }, known, []],
    [{ type: "account_sync", from: ADA }, known, []],
  ])("%j", (attrs, mappings, users) => {
    expect(changedDevices(notification(attrs), self, mappings)).toEqual(users);
  });

  test("the account's own", () => {
    const node = notification({ type: "account_sync", from: ADA }, "devices");
    const users = ["15550001000", "900015550001000"];
    expect(changedDevices(node, self, unknown)).toEqual(users);
    expect(changedDevices(node, { phone: null, lid: null }, unknown)).toEqual([]);
  });
});

describe("a message goes to each device", () => {
  let h: Harness;
  beforeEach(async () => {
    h = await Harness.linked();
  });
  afterEach(() => h.stop());

  const withOneMore = async (whose: "ada" | "owner") => {
    await h.ada.send(h.owner, "hello", { as: "lid" });
    await h.message("hello");
    expect(await h.send(h.ada, "one")).toMatchObject({ ok: true });
    const [companion] = h.owner.companions;
    const tablet = h[whose].addDevice();
    await companion?.mailbox.settled.waitFor(({ tag }) => tag === "notification");
    expect(await h.send(h.ada, "two")).toMatchObject({ ok: true });
    await tablet.inbox.waitFor(({ text }) => text === "two", 10_000);
  };

  test("of the person it is for, also one that is new", () => withOneMore("ada"));
  test("of one's own, also one that is new", () => withOneMore("owner"));
});
