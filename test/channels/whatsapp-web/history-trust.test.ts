import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DEFAULT_CONNECTION_CONFIG,
  type SignalKeyStoreWithTransaction,
  addTransactionCapability,
} from "@whiskeysockets/baileys";
import { readTcTokenIndex } from "@whiskeysockets/baileys/lib/Utils/tc-token-utils.js";
import { baileysLog } from "../../../src/channels/whatsapp-web/baileys-log.ts";
import {
  keepFindings,
  newPairs,
  newerToken,
  soundPairs,
} from "../../../src/channels/whatsapp-web/history-trust.ts";
import type {
  HistoryFindings,
  TrustToken,
} from "../../../src/channels/whatsapp-web/history-walk.ts";
import { storedMappings } from "../../../src/channels/whatsapp-web/identity.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { fakeClock } from "../../support/clock.ts";

const ADA = "+491700000001";
const BOB = "+447700900002";
/** One number. */
const [LONG, SHORT] = ["+5511987654321", "+551187654321"];
const [A, B] = ["900491700000001@lid", "900447700900002@lid"];
const pair = (phone: string, lid: string) => ({ phone, lid });

describe("pairs that count:", () => {
  /** As Baileys keyStore what WhatsApp says. */
  const knowing = (...pairs: [string, string][]) => {
    const stored = new Map(
      pairs.flatMap(([phone, lid]): [string, string][] => {
        const [number, user] = [phone.slice(1), lid.replace("@lid", "")];
        return [
          [number, JSON.stringify(user)],
          [`${user}_reverse`, JSON.stringify(number)],
        ];
      }),
    );
    return storedMappings((id) => stored.get(id));
  };
  type Pairs = [string, string][];

  test.each<[string, Pairs, Pairs, Pairs]>([
    [
      "new ones",
      [],
      [
        [ADA, A],
        [BOB, B],
      ],
      [
        [ADA, A],
        [BOB, B],
      ],
    ],
    [
      "once each",
      [],
      [
        [ADA, A],
        [ADA, A],
      ],
      [[ADA, A]],
    ],
    [
      "not what is known",
      [[ADA, A]],
      [
        [ADA, A],
        [BOB, B],
      ],
      [[BOB, B]],
    ],
    ["not another LID of a known number", [[ADA, A]], [[ADA, B]], []],
    ["not another number of a known LID", [[ADA, A]], [[BOB, A]], []],
    ["not another LID of a known number's other form", [[LONG, A]], [[SHORT, B]], []],
    [
      "none of two LIDs of one number in its two forms",
      [],
      [
        [LONG, A],
        [SHORT, B],
      ],
      [],
    ],
    [
      "none of two LIDs of one number",
      [],
      [
        [ADA, A],
        [ADA, B],
      ],
      [],
    ],
    [
      "none of two numbers of one LID",
      [],
      [
        [ADA, A],
        [BOB, A],
      ],
      [],
    ],
    [
      "those beside a contradiction",
      [],
      [
        [ADA, A],
        [ADA, B],
        [BOB, "7@lid"],
      ],
      [[BOB, "7@lid"]],
    ],
  ])("%s", (_, known, found, expected) => {
    const pairs = found.map(([phone, lid]) => pair(phone, lid));
    const trusted = newPairs(soundPairs(pairs), knowing(...known));
    expect(trusted).toEqual(expected.map(([phone, lid]) => pair(phone, lid)));
  });
});

describe("of two tokens", () => {
  const [old, fresh] = [Buffer.from("old"), Buffer.from("new")];
  const found = (senderTimestamp = 0): TrustToken => ({
    ...{ phone: null, lid: A, token: fresh, timestamp: 1000, senderTimestamp },
  });
  const taken = { token: fresh, timestamp: "1000" };

  test.each<[string, Parameters<typeof newerToken>[1], number, ReturnType<typeof newerToken>]>([
    ["the only one", undefined, 0, taken],
    ["the only one, with when we gave ours", undefined, 5, { ...taken, senderTimestamp: 5 }],
    ["the newer one", { token: old, timestamp: "999" }, 0, taken],
    ["the one that is there, where it is as new", { token: old, timestamp: "1000" }, 0, undefined],
    ["the one that is there, where it is newer", { token: old, timestamp: "1001" }, 9, undefined],
    [
      "the only one, beside the time of ours alone",
      { token: Buffer.alloc(0), senderTimestamp: 7 },
      5,
      { ...taken, senderTimestamp: 7 },
    ],
    [
      "the newer one, and the later time of ours",
      { token: old, timestamp: "999", senderTimestamp: 7 },
      9,
      { ...taken, senderTimestamp: 9 },
    ],
  ])("%s", (_, known, senderTimestamp, expected) => {
    expect(newerToken(found(senderTimestamp), known)).toEqual(expected);
  });
});

describe("in the session", () => {
  const clock = fakeClock();
  const seconds = Math.floor(Date.now() / 1000);
  let folder: string;
  let session: Session;
  let learnt: Record<string, string>[];
  let keyStore: SignalKeyStoreWithTransaction;

  const open = () => {
    session = Session.open({ path: join(folder, "s.db"), env: {} }, clock, {
      onReceived: () => {},
      onMappings: (stored) => void learnt.push(stored),
    });
    const { get, set } = session.transactions;
    const logger = baileysLog(silentLog);
    const { transactionOpts } = DEFAULT_CONNECTION_CONFIG;
    const keys = addTransactionCapability({ get, set }, logger, transactionOpts);
    const auth = { creds: session.creds, keys };
    session.repository.make(auth, logger);
    keyStore = keys;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "revka-trust-"));
    learnt = [];
    open();
  });
  afterEach(() => {
    session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  let rests = 0;
  const keep = (findings: Partial<HistoryFindings>) => {
    rests = 0;
    const { mappings } = session;
    const all = { pairs: [], tokens: [], salt: null, ...findings };
    return keepFindings(all, keyStore, mappings, Date.now(), async () => void rests++);
  };
  const trust = (who: { phone?: string; lid?: string }, token: string, age = 60): TrustToken => ({
    ...{ phone: null, lid: null, ...who, token: Buffer.from(token) },
    ...{ timestamp: seconds - age, senderTimestamp: 0 },
  });
  const stored = async (...ids: string[]) => {
    const tokens = await keyStore.get("tctoken", ids);
    return ids.map((id) => tokens[id]?.token.toString());
  };

  test("both are there after a restart, and whoever listens for LIDs hears of them", async () => {
    const findings = { pairs: [pair(ADA, A)], tokens: [trust({ phone: ADA }, "trust")] };
    expect(await keep(findings)).toEqual({ lids: 1, tokens: 1 });
    expect(learnt).toEqual([
      { "491700000001": "900491700000001", "900491700000001_reverse": "491700000001" },
    ]);
    await session.commit.written();
    session.close();
    open();
    expect(session.mappings.lidOfPhone(ADA)).toBe(A);
    expect(await stored(A)).toEqual(["trust"]);
    expect(await readTcTokenIndex(keyStore)).toEqual([A]);
    expect(await keep(findings)).toEqual({ lids: 0, tokens: 0 });
  });

  test("a token goes by the number where no LID is known; nobody is asked for one", async () => {
    await keep({ tokens: [trust({ phone: BOB }, "trust")] });
    expect(await stored("447700900002@s.whatsapp.net")).toEqual(["trust"]);
  });

  test("of one person's the newest stays, by whichever address", async () => {
    const tokens = [
      trust({ lid: A }, "mid", 60),
      trust({ phone: ADA }, "new", 30),
      trust({ lid: A }, "old", 90),
    ];
    await keep({ pairs: [pair(ADA, A)], tokens });
    expect(await stored(A)).toEqual(["new"]);
  });

  test("what has run out is not kept, nor what comes from the future", async () => {
    const tokens = [
      trust({ lid: A }, "old", 40 * 86_400),
      trust({ lid: B }, "future", -2 * 86_400),
    ];
    expect(await keep({ tokens })).toEqual({ lids: 0, tokens: 0 });
    expect(await stored(A, B)).toEqual([undefined, undefined]);
    expect(await readTcTokenIndex(keyStore)).toEqual([]);
  });

  test("much of it is kept bit by bit", async () => {
    const lids = Array.from({ length: 450 }, (_, index) => `${1000 + index}@lid`);
    const tokens = lids.map((lid) => trust({ lid }, lid));
    const pairs = lids.map((lid, index) => pair(`+4917000${1000 + index}`, lid));
    expect(await keep({ pairs, tokens })).toEqual({ lids: 450, tokens: 450 });
    expect(rests).toBe(6);
    expect(learnt.map((pairs) => Object.keys(pairs).length)).toEqual([400, 400, 100]);
    expect(await stored(...lids)).toEqual(lids);
    expect(await readTcTokenIndex(keyStore)).toHaveLength(450);
  });

  test("a token that comes meanwhile is not lost", async () => {
    const newer = { token: Buffer.from("newer"), timestamp: String(seconds) };
    const kept = keep({ tokens: [trust({ lid: A }, "trust")] });
    await keyStore.set({ tctoken: { [A]: newer } });
    await kept;
    expect(await stored(A)).toEqual(["newer"]);
  });
});
