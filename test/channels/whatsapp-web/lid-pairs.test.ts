import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { lidToWrite } from "../../../src/channels/whatsapp-web/identity.ts";
import { type Device, device } from "./ratchet-harness.ts";
import { Traffic } from "./traffic-harness.ts";

const [P, Q] = ["491700000001", "491700000002"];
const [X, Y] = ["900000000000001", "900000000000002"];
const pn = (number: string) => `${number}@s.whatsapp.net`;
const lid = (user: string) => `${user}@lid`;

describe("of LIDs and numbers the newest pair counts, from both ends", () => {
  let ours: Device;
  beforeEach(() => (ours = device("15550001000")));
  afterEach(() => ours.stop());

  const store = (...pairs: [string, string][]) =>
    ours.repository.lidMapping.storeLIDPNMappings(
      pairs.map(([number, user]) => ({ pn: pn(number), lid: lid(user) })),
    );
  /** What is known of a number and a LID. */
  const of = (number: string, user: string) => [
    ours.session.mappings.lidOfPhone(`+${number}`),
    ours.session.mappings.phoneOfLid(lid(user)),
  ];
  const baileys = async (number: string, user: string) => {
    const { lidMapping } = ours.repository;
    const phone = await lidMapping.getPNForLID(lid(user));
    return [await lidMapping.getLIDForPN(pn(number)), phone && phone.replace(":0@", "@")];
  };

  test("where a number is another LID's, and then the first one's again", async () => {
    await store([P, X]);
    await store([P, Y]);
    expect(of(P, Y)).toEqual([lid(Y), `+${P}`]);
    expect(of(P, X)).toEqual([lid(Y), null]);
    expect(await baileys(P, X)).toEqual([lid(Y), null]);
    await store([P, X]);
    expect(of(P, X)).toEqual([lid(X), `+${P}`]);
    expect(of(P, Y)).toEqual([lid(X), null]);
    expect(await baileys(P, X)).toEqual([lid(X), pn(P)]);
    expect(await baileys(P, Y)).toEqual([lid(X), null]);
    expect(lidToWrite({ phone: `+${P}`, lid: lid(Y) }, ours.session.mappings)).toBe(lid(X));
  });

  test("where a LID has another number, and then the first one again", async () => {
    await store([P, X]);
    await store([Q, X]);
    expect(of(Q, X)).toEqual([lid(X), `+${Q}`]);
    expect(of(P, X)).toEqual([null, `+${Q}`]);
    await store([P, X]);
    expect(of(P, X)).toEqual([lid(X), `+${P}`]);
    expect(of(Q, X)).toEqual([null, `+${P}`]);
    expect(await baileys(P, X)).toEqual([lid(X), pn(P)]);
    expect(await baileys(Q, X)).toEqual([null, pn(P)]);
  });

  test("where two people have exchanged their numbers, told at once", async () => {
    await store([P, X], [Q, Y]);
    await store([P, Y], [Q, X]);
    expect([of(P, Y), of(Q, X)]).toEqual([
      [lid(Y), `+${P}`],
      [lid(X), `+${Q}`],
    ]);
  });

  test("where what is told at once contradicts itself, the last", async () => {
    const Z = "900000000000003";
    await store([P, X]);
    await store([P, Y], [P, Z]);
    expect(of(P, Z)).toEqual([lid(Z), `+${P}`]);
    await store([P, X], [Q, X]);
    expect([of(P, X), of(Q, X)]).toEqual([
      [null, `+${Q}`],
      [lid(X), `+${Q}`],
    ]);
    expect([await baileys(P, Z), await baileys(Q, X)]).toEqual([
      [null, null],
      [lid(X), pn(Q)],
    ]);
  });

  test("where somebody else has the number by now", async () => {
    await store([P, X]);
    await store([Q, X]);
    await store([P, Y]);
    expect([of(P, Y), of(Q, X)]).toEqual([
      [lid(Y), `+${P}`],
      [lid(X), `+${Q}`],
    ]);
    // What X had once is not taken from whom it is now.
    await store([Q, X]);
    expect(of(P, Y)).toEqual([lid(Y), `+${P}`]);
  });

  test("and of what an older session kept, what is true of others stays", async () => {
    const Z = "900000000000003";
    await ours.session.transactions.set({
      "lid-mapping": { [Q]: Z, [`${Z}_reverse`]: Q, [`${X}_reverse`]: Q },
    });
    await store([P, X]);
    expect([of(P, X), of(Q, Z)]).toEqual([
      [lid(X), `+${P}`],
      [lid(Z), `+${Q}`],
    ]);
    await ours.session.transactions.set({ "lid-mapping": { [P]: Z } });
    await store([P, Y]);
    expect([of(P, Y), of(Q, Z)]).toEqual([
      [lid(Y), `+${P}`],
      [lid(Z), `+${Q}`],
    ]);
  });

  test("and both forms of a number that has two are one", async () => {
    const [long, short] = ["5511987654321", "551187654321"];
    await store([long, X]);
    await store([short, X]);
    expect([long, short].map((number) => of(number, X)[0])).toEqual([lid(X), lid(X)]);
    await store([long, X]);
    expect([long, short].map((number) => of(number, X)[0])).toEqual([lid(X), lid(X)]);
  });

  test.each([
    ["of the form that came last", 0],
    ["of the form that came first", 1],
  ])("and who has such a number after another has both forms of it: %s", async (_, first) => {
    const forms = ["551187654321", "5511987654321"] as const;
    const [form, other] = first === 0 ? forms : ([forms[1], forms[0]] as const);
    for (const number of forms) await store([number, X]);
    await store([form, Y]);
    expect(of(form, Y)).toEqual([lid(Y), `+${form}`]);
    expect(of(other, X)).toEqual([null, null]);
    expect(lidToWrite({ phone: `+${other}`, lid: lid(Y) }, ours.session.mappings)).toBe(lid(Y));
    expect(await baileys(other, X)).toEqual([null, null]);
  });

  test("also after a restart", async () => {
    await store([P, X]);
    await store([P, Y]);
    await store([P, X]);
    await ours.session.commit.written();
    ours.restart();
    expect(of(P, X)).toEqual([lid(X), `+${P}`]);
    expect(await baileys(P, Y)).toEqual([lid(X), null]);
  });

  test("and each is told to whom it concerns", async () => {
    await store([P, X]);
    await store([Q, X]);
    ours.learnt.splice(0);
    await store([P, X]);
    expect(ours.learnt).toEqual([{ phone: `+${P}`, lid: lid(X) }]);
  });
});

describe("a message that names another LID, or number, than was known", () => {
  let t: Traffic;
  beforeEach(async () => {
    t = await Traffic.start();
    t.session.creds.me = { id: "15550001000:7@s.whatsapp.net", lid: "900015550001000:7@lid" };
  });
  afterEach(() => t.stop());

  let sent = 0;
  const message = async (from: string, more: Record<string, string>, id = `M${++sent}`) => {
    const enc = { tag: "enc", attrs: { type: "msg", v: "2" }, content: Buffer.from(id) };
    t.hear("CB:message", { id, from, type: "text", t: "1700000000", ...more }, [enc]);
    await t.read.waitFor((read) => read === id);
    t.read.clear();
    return id;
  };
  const known = (number: string, user: string) => [
    t.session.mappings.lidOfPhone(`+${number}`),
    t.session.mappings.phoneOfLid(lid(user)),
  ];
  const GROUP = "120363000000000001@g.us";

  test.each([
    [
      "written under the number",
      (number: string, user: string) => message(pn(number), { sender_lid: lid(user) }),
    ],
    [
      "written under the LID",
      (number: string, user: string) => message(lid(user), { sender_pn: pn(number) }),
    ],
    [
      "in a group",
      (number: string, user: string) =>
        message(GROUP, { participant: pn(number), participant_lid: lid(user) }),
    ],
  ])("says who has it now: %s", async (_, from) => {
    const told = [
      ...[
        [P, X],
        [P, Y],
        [P, X],
        [Q, X],
        [P, X],
      ],
      ...[
        [Q, Y],
        [P, Y],
        [Q, X],
        [P, X],
      ],
    ] as const;
    for (const [number, user] of told) {
      await from(number, user);
      expect(known(number, user)).toEqual([lid(user), `+${number}`]);
    }
    expect(known(Q, Y)).toEqual([null, null]);
  });

  test.each([
    ["its number", pn(P), { sender_lid: lid(X) }],
    ["its LID", lid(X), { sender_pn: pn(P) }],
  ])("says nothing where it came before, and comes again: under %s", async (_, from, more) => {
    const id = await message(from, more);
    const part = { part: "one", stanza: "one", parts: 1, attributes: { id, from, ...more } };
    await t.session.write(() => t.session.journal.put(part, Buffer.from(id), t.clock.now()));
    await message(pn(P), { sender_lid: lid(Y) });
    await message(from, more, id);
    expect(known(P, Y)).toEqual([lid(Y), `+${P}`]);
    await message(lid(X), { sender_pn: pn(Q) });
    await message(from, more, id);
    expect([known(P, Y), known(Q, X)]).toEqual([
      [lid(Y), `+${P}`],
      [lid(X), `+${Q}`],
    ]);
  });

  test.each([
    [
      "the number",
      pn(P),
      { from: "15550001000:3@s.whatsapp.net", sender_lid: lid("900015550001000") },
    ],
    ["the LID", lid(X), { from: "900015550001000:3@lid", sender_pn: pn("15550001000") }],
  ])(
    "takes nobody for the account itself, whom it wrote to: under %s",
    async (_, recipient, { from, ...sender }) => {
      const own = ["15550001000", "900015550001000"] as const;
      await t.sock.signalRepository.lidMapping.storeLIDPNMappings([
        { pn: pn(own[0]), lid: lid(own[1]) },
        { pn: pn(P), lid: lid(X) },
      ]);
      await message(from, { recipient, ...sender });
      expect(known(...own)).toEqual([lid(own[1]), `+${own[0]}`]);
      expect(known(P, X)).toEqual([lid(X), `+${P}`]);
    },
  );

  test("has Baileys move the session, where nothing was known of either", async () => {
    const moved = spyOn(t.sock.signalRepository, "migrateSession");
    await message(pn(P), { sender_lid: lid(X) });
    await message(pn(P), { sender_lid: lid(X) });
    expect(moved.mock.calls).toEqual([[pn(P), lid(X)]]);
  });
});
