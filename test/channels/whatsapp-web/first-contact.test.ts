import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { BinaryNode, SignalDataTypeMap } from "@whiskeysockets/baileys";
import { contactToken } from "../../../src/channels/whatsapp-web/first-contact.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { fakeClock } from "../../support/clock.ts";
import { rejection } from "../../support/rejection.ts";

const ADA = "491700000001@s.whatsapp.net";
const ADA_LID = "900491700000001@lid";
const SALT = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
/** RFC 2104 with SHA-256, by Python's `hmac`. */
const TOKEN = "261135da0fea8aff4b3cbb1a7dd837d0eb41cee07b641f43d48027e399cdab0e";

let folder: string;
let session: Session;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-contact-"));
  session = open();
});
afterEach(() => {
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(): Session {
  const session = Session.open({ path: join(folder, "s.db"), env: {} }, fakeClock(), {
    onReceived: () => {},
    onMappings: () => {},
  });
  session.creds.me = { id: "15550001000:7@s.whatsapp.net", lid: "900015550001000:7@lid" };
  return session;
}

function props(...switches: [string, string][]): BinaryNode {
  const content = switches.map(([code, value]) => ({
    tag: "prop",
    attrs: { config_code: code, config_value: value },
  }));
  return { tag: "props", attrs: {}, content };
}
const wanted = props(["1", "false"], ["24941", "true"]);

async function tokenTo(
  chat: string,
  { trust, trustGoes = true }: { trust?: SignalDataTypeMap["tctoken"]; trustGoes?: boolean } = {},
): Promise<string | null> {
  const { get, set } = session.transactions;
  if (trust) await set({ tctoken: { [ADA_LID]: trust } });
  const sock = {
    authState: { creds: session.creds, keys: { get, set } },
    serverProps: {
      privacyTokenOn1to1: trustGoes,
      profilePicPrivacyToken: true,
      lidTrustedTokenIssueToLid: true,
    },
  };
  // `Parameters` of a method of the class: only what it asks of a socket.
  const nodes = await session.firstContact.nodesFor(chat, sock as never, session.self);
  const [node] = nodes;
  if (!node) return null;
  expect(nodes).toEqual([{ tag: "cstoken", attrs: {}, content: expect.anything() }]);
  return Buffer.from(node.content as Uint8Array).toString("hex");
}

test("the token is the HMAC of the LID under the salt", () => {
  expect(contactToken(SALT, ADA_LID).toString("hex")).toBe(TOKEN);
});

describe("it goes to a person of whom there is no trust", () => {
  beforeEach(async () => {
    session.firstContact.heed(wanted);
    session.firstContact.keepSalt(SALT);
    await session.transactions.set({
      "lid-mapping": {
        "491700000001": "900491700000001",
        "900491700000001_reverse": "491700000001",
      },
    });
  });
  const now = () => String(Math.floor(Date.now() / 1000));
  const trust = (timestamp: string, token = "trust") => ({ token: Buffer.from(token), timestamp });

  test.each<[string, string, string | null]>([
    ["by the LID", ADA_LID, TOKEN],
    ["by the number", ADA, TOKEN],
    ["by the LID of a device", "900491700000001:3@lid", TOKEN],
    ["not where the LID is not known", "491700000002@s.whatsapp.net", null],
    ["not to a group", "120363000000000001@g.us", null],
    ["not to oneself", "15550001000@s.whatsapp.net", null],
    ["not to oneself by the LID", "900015550001000@lid", null],
  ])("%s", async (_, chat, token) => {
    expect(await tokenTo(chat)).toBe(token);
  });

  test("and to nobody who gave a token that is still good, and goes along", async () => {
    expect(await tokenTo(ADA_LID, { trust: trust(now()) })).toBeNull();
    expect(await tokenTo(ADA, { trust: trust(now()) })).toBeNull();
    expect(await tokenTo(ADA_LID, { trust: trust(now()), trustGoes: false })).toBe(TOKEN);
    expect(await tokenTo(ADA_LID, { trust: trust("1700000000") })).toBe(TOKEN);
    expect(await tokenTo(ADA_LID, { trust: trust(now(), "") })).toBe(TOKEN);
  });

  test("as long as the server wants to see it", async () => {
    for (const [value, goes] of [
      ["1", true],
      ["false", false],
      ["true", true],
      ["0", false],
    ] as const) {
      session.firstContact.heed(props(["24941", value]));
      expect([value, (await tokenTo(ADA)) !== null]).toEqual([value, goes]);
    }
    session.firstContact.heed(wanted);
    session.firstContact.heed(props());
    expect(await tokenTo(ADA)).toBeNull();
  });

  test("also after a restart, before the server has said so again", async () => {
    session.close();
    session = open();
    expect(await tokenTo(ADA)).toBe(TOKEN);
    session.firstContact.heed(props());
    session.close();
    session = open();
    expect(await tokenTo(ADA)).toBeNull();
  });
});

test("without a salt none goes", async () => {
  session.firstContact.heed(wanted);
  expect(await tokenTo(ADA_LID)).toBeNull();
});

describe("what cannot be read of it", () => {
  beforeEach(async () => {
    session.firstContact.keepSalt(SALT);
    session.firstContact.heed(wanted);
    session.close();
  });

  test.each(["salt", "wanted"])("holds up no message: the disk has damaged %s", async (id) => {
    const other = new DatabaseSync(join(folder, "s.db"));
    const damage = other.prepare(
      "UPDATE entry SET value = x'00112233' WHERE type = 'first-contact' AND id = ?",
    );
    expect(damage.run(id).changes).toBe(1);
    other.close();
    session = open();
    expect(await tokenTo(ADA_LID)).toBeNull();
  });

  test("lets none leave where the disk reads nothing now", async () => {
    session = open();
    const unreadable = spyOn(session.commit, "get").mockImplementation(() => {
      throw Object.assign(new Error("I/O error"), { errcode: 10 });
    });
    expect(await rejection(tokenTo(ADA_LID))).toMatchObject({ errcode: 10 });
    unreadable.mockRestore();
    expect(await tokenTo(ADA_LID)).toBe(TOKEN);
  });
});
