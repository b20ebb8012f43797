import { beforeEach, expect, test } from "bun:test";
import { tellOfAbandoned } from "../../src/conversation/abandoned.ts";
import type { Source } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, nobody, recipientAt } from "../support/store.ts";

// Accounts that have something waiting and that no longer run.

const trial = storeTrial();
const wati: Source = { channel: "wati", backend: "wati", account: "tenant" };

const writes = (source: Source, phone: string) =>
  trial.store.accept(
    source,
    [{ kind: "message", message: message({ sender: { ...nobody, phone } }) }],
    everybody,
  );

/** What is said where these accounts run. */
function told(...running: Source[]): string[] {
  const alarms = new Alarms(trial.clock, silentLog);
  const channelOf = ({ account }: Source) =>
    running.some((each) => each.account === account) ? fakeChannel() : undefined;
  tellOfAbandoned({ store: trial.store, channelOf, alarms });
  return alarms.list().map(({ code, hint }) => `${code}: ${hint}`);
}

beforeEach(async () => {
  await writes(cloud, "+15550001111");
  await writes(cloud, "+15550002222");
  const chat = await trial.store.openChat(wati, recipientAt("+15550003333"));
  const content = { kind: "text", text: "hi", quote: null } as const;
  await trial.store.enqueue(chat, [{ id: "delivery", content }], null);
});

const rest = "that the configuration no longer names: they go on when it is put back.";
const ofCloud = `account_gone: Messages or replies of 2 chats wait for an account of whatsapp (cloud) ${rest}`;
const ofWati = `account_gone: Messages or replies of 1 chat wait for an account of wati (wati) ${rest}`;

test("each account that is gone is told of, with how many chats wait for it", () => {
  expect(told()).toEqual([ofCloud, ofWati]);
});

test("one that runs is not, whatever waits for it", () => {
  expect(told(wati)).toEqual([ofCloud]);
  expect(told(cloud)).toEqual([ofWati]);
  expect(told(cloud, wati)).toEqual([]);
});
