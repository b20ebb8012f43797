import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Curve } from "@whiskeysockets/baileys";
import { type Device, device } from "./ratchet-harness.ts";

let ada: Device;
let other: Device;
let ours: Device;
beforeEach(() => {
  [ada, other, ours] = [device("491700000001"), device("491700000001"), device("15550001000")];
});
afterEach(() => [ada, other, ours].forEach((one) => one.stop()));

const inject = (bundle: ReturnType<Device["bundle"]>) =>
  ours.repository.injectE2ESession({ jid: ada.jid, session: bundle });
/** What tells one session with Ada from the next. */
const base = async () => {
  const info = await ours.repository.getSessionInfo(ada.jid);
  return info && Buffer.from(info.baseKey).toString("base64");
};

describe("a session that works", () => {
  test("is not replaced by a bundle that was merely fetched again", async () => {
    await inject(ada.bundle());
    const first = await base();
    expect(first).toBeString();
    await inject(ada.bundle());
    expect(await base()).toBe(first);
  });

  test("is replaced for a minute after that device could not read us, whoever else could not", async () => {
    await inject(ada.bundle());
    const first = await base();
    ours.session.repository.allowReset("447700900002@s.whatsapp.net");
    ours.session.repository.allowReset("491700000001:3@s.whatsapp.net");
    ours.session.repository.allowReset("nonsense");
    await inject(ada.bundle());
    expect(await base()).toBe(first);
    ours.session.repository.allowReset(ada.jid);
    await inject(ada.bundle());
    const second = await base();
    expect(second).not.toBe(first);
    await ours.clock.advance(60_000);
    await inject(ada.bundle());
    expect(await base()).toBe(second);
  });

  test.each([
    ["491700000001:3@s.whatsapp.net", "900:3@lid"],
    ["491700000001:99@hosted", "900:99@hosted.lid"],
  ])(
    "is replaced also where %s is the name of that device, and the session is under %s",
    async (jid, lid) => {
      await ours.repository.lidMapping.storeLIDPNMappings([
        { pn: "491700000001@s.whatsapp.net", lid: "900@lid" },
      ]);
      const injectUnderLid = async () => {
        await ours.repository.injectE2ESession({ jid: lid, session: ada.bundle() });
        const info = await ours.repository.getSessionInfo(lid);
        return info && Buffer.from(info.baseKey).toString("base64");
      };
      const first = await injectUnderLid();
      expect(await injectUnderLid()).toBe(first);
      ours.session.repository.allowReset(jid);
      expect(await injectUnderLid()).not.toBe(first);
    },
  );

  test("is replaced by that of a new identity", async () => {
    await inject(ada.bundle());
    const first = await base();
    await inject(other.bundle());
    expect(await base()).not.toBe(first);
  });
});

test("a bundle that was not signed by its identity makes no session", async () => {
  const bundle = ada.bundle();
  const stranger = Curve.generateKeyPair();
  const signature = Curve.sign(stranger.private, bundle.signedPreKey.publicKey);
  const forged = { ...bundle, signedPreKey: { ...bundle.signedPreKey, signature } };
  await expect(inject(forged)).rejects.toThrow("signature");
  expect(await base()).toBeNull();
  ours.session.repository.allowReset(ada.jid);
  await inject(bundle);
  const first = await base();
  await expect(inject(forged)).rejects.toThrow("signature");
  expect(await base()).toBe(first);
});

describe("the LID of a number", () => {
  const ADA = "491700000001@s.whatsapp.net";
  let asked: string[][];
  let answer: (jids: string[]) => Promise<{ pn: string; lid: string }[] | undefined>;
  let asking: Device;
  beforeEach(() => {
    asked = [];
    answer = async () => [];
    asking = device("15550001000", (jids) => {
      asked.push(jids);
      return answer(jids);
    });
  });
  afterEach(() => asking.stop());
  const lid = () => asking.repository.lidMapping.getLIDForPN(ADA);

  test("is asked for, and known from then on", async () => {
    answer = async () => [{ pn: ADA, lid: "900@lid" }];
    expect([await lid(), await lid()]).toEqual(["900@lid", "900@lid"]);
    expect(asked).toEqual([[ADA]]);
  });

  test("where there is none, it is not asked for again for ten minutes", async () => {
    expect(await lid()).toBeNull();
    await asking.clock.advance(10 * 60_000 - 1);
    expect(await lid()).toBeNull();
    expect(asked).toHaveLength(1);
    answer = async () => [{ pn: ADA, lid: "900@lid" }];
    await asking.clock.advance(1);
    expect(await lid()).toBe("900@lid");
  });

  test("is given up after five seconds, or where the server refuses, and asked for the next time", async () => {
    answer = () => new Promise(() => {});
    const waiting = lid();
    await asking.clock.advance(5000);
    expect(await waiting).toBeNull();
    answer = async () => {
      throw new Error("refused");
    };
    expect(await lid()).toBeNull();
    answer = async () => [{ pn: ADA, lid: "900@lid" }];
    expect(await lid()).toBe("900@lid");
  });
});
