import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { SpeaksAs } from "../../../src/channels/whatsapp-web/speaks-as.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { fakeClock } from "../../support/clock.ts";

let folder: string;
let session: Session;
let speaksAs: SpeaksAs;
let told: InboundEvent[];
const deliver = async (events: InboundEvent[]) => void told.push(...events);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-speaks-"));
  session = Session.open({ path: join(folder, "s.db"), env: {} }, fakeClock(), {
    onReceived: () => {},
    onMappings: () => {},
  });
  speaksAs = new SpeaksAs(silentLog);
  told = [];
});
afterEach(() => {
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

function link(number: string): void {
  session.creds.me = { id: `${number}:7@s.whatsapp.net` };
  session.creds.account = { details: new Uint8Array([1]) };
}
const account = (number: string): InboundEvent => ({ kind: "account", number });

test("whom it speaks as is told once for each number, and not before it is linked", async () => {
  session.creds.me = { id: "15550001000@s.whatsapp.net" };
  await speaksAs.tell(session, deliver);
  expect(told).toEqual([]);
  for (const number of ["15550001000", "15550001000", "15550002000", "15550001000"]) {
    link(number);
    await speaksAs.tell(session, deliver);
  }
  expect(told).toEqual(["+15550001000", "+15550002000", "+15550001000"].map(account));
});

test("where the inside does not note it, nothing is connected, and it is told anew", async () => {
  link("15550001000");
  const refuse = async () => {
    throw new Error("full");
  };
  await expect(speaksAs.tell(session, refuse)).rejects.toMatchObject({ code: 509 });
  await speaksAs.tell(session, deliver);
  expect(told).toEqual([account("+15550001000")]);
});

test("what was left for another number is dropped once that is told, not before", async () => {
  session.inherit({ number: "+15550001000", events: [account("+15550001000")] });
  link("15550002000");
  const refuse = async () => {
    throw new Error("full");
  };
  await expect(speaksAs.tell(session, refuse)).rejects.toThrow();
  expect(session.dropForeignLegacy()).toBe(1);
  session.inherit({ number: "+15550001000", events: [account("+15550001000")] });
  await speaksAs.tell(session, deliver);
  expect(session.dropForeignLegacy()).toBe(0);
});
