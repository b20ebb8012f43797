import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proto } from "@whiskeysockets/baileys";
import { timerIn } from "../../../src/channels/whatsapp-web/disappearing.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { fakeClock } from "../../support/clock.ts";

const day = { contextInfo: { expiration: 86_400 } };

test.each<[string, proto.IMessage, number | null]>([
  ["a text", { extendedTextMessage: { text: "a", ...day } }, 86_400],
  ["a picture", { imageMessage: { caption: "a", ...day } }, 86_400],
  ["what is wrapped", { ephemeralMessage: { message: { stickerMessage: day } } }, 86_400],
  ["a text that quotes where all stays", { extendedTextMessage: { contextInfo: {} } }, 0],
  ["a mere text", { conversation: "a" }, 0],
  ["the timer set", { protocolMessage: { type: 3, ephemeralExpiration: 604_800 } }, 604_800],
  ["the timer taken away", { protocolMessage: { type: 3 } }, 0],
  ["an edit", { protocolMessage: { type: 14, editedMessage: { conversation: "b" } } }, null],
  ["a status in a group", { groupStatusMessage: { message: { imageMessage: day } } }, null],
  ["a wrapped mere text", { ephemeralMessage: { message: { conversation: "a" } } }, null],
  ["a reaction", { reactionMessage: { text: "a" } }, null],
  ["what has no place for it", { imageMessage: { caption: "a" } }, null],
  ["nothing", {}, null],
])("%s says when the messages of its chat disappear", (_, message, seconds) => {
  const decoded = proto.Message.decode(proto.Message.encode(message).finish());
  expect(timerIn(message)).toBe(seconds);
  expect(timerIn(decoded)).toBe(seconds);
});

describe("the chats whose messages disappear", () => {
  const [ada, adaLid, group] = ["491700000001@s.whatsapp.net", "900491700000001@lid", "1@g.us"];
  let folder: string;
  let session: Session;
  const open = () =>
    Session.open({ path: join(folder, "s.db"), env: {} }, fakeClock(), {
      onReceived: () => {},
      onMappings: () => {},
    });
  const timers = (...chats: string[]) => chats.map((chat) => session.disappearing.timerOf(chat));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "revka-session-"));
    session = open();
  });
  afterEach(() => {
    session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("are known at once, and after a restart", () => {
    session.disappearing.note(group, 86_400);
    session.disappearing.note(ada, 604_800);
    expect(timers(group, ada, adaLid)).toEqual([86_400, 604_800, 0]);
    session.close();
    session = open();
    expect(timers(group, ada, adaLid)).toEqual([86_400, 604_800, 0]);
    session.disappearing.note(group, 0);
    expect(timers(group, ada)).toEqual([0, 604_800]);
  });

  test("are one person's by number and by LID, also where that is known only later", async () => {
    session.disappearing.note(adaLid, 86_400);
    await session.transactions.set({
      "lid-mapping": {
        "491700000001": "900491700000001",
        "900491700000001_reverse": "491700000001",
      },
    });
    expect(timers(ada, adaLid)).toEqual([86_400, 86_400]);
    session.disappearing.note(ada, 604_800);
    expect(timers(ada, adaLid)).toEqual([604_800, 604_800]);
    session.disappearing.note(adaLid, 0);
    expect(timers(ada, adaLid)).toEqual([0, 0]);
  });
});
