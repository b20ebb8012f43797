import { setTimeout as pause } from "node:timers/promises";
import type { Fault } from "../../test/doubles/whatsapp-web/faults.ts";
import type { Phone } from "../../test/doubles/whatsapp-web/phone.ts";
import type { Recorder } from "../../test/doubles/whatsapp-web/recorder.ts";
import type { WhatsAppDouble } from "../../test/doubles/whatsapp-web/server.ts";
import { type Ledger, judge, type Read, type Written } from "./ledger.ts";
import type { Scene, WebVictim } from "./run.ts";

export interface TrafficResult extends Ledger {
  kills: number;
  /** Links the owner's phone made: more than one means that a kill cost the link. */
  links: number;
  /** Messages that came again under an id that the phone had read. */
  duplicates: number;
  /** Messages that phones asked for again. */
  retries: number;
  undecryptable: number;
  /** Deliveries that the daemon gave up. */
  failed: number;
}

/** A kill comes so long after its moment at most, ms; with the power mostly at once, into the syncs. */
const AFTER_MS = 120;
/** A moment that never comes is not waited for any longer, ms. */
const MOMENT_MS = 3_000;

/** What goes wrong beside the kill in every third round or so. */
const hindrances: Fault[] = [
  { at: "out:ack:message", do: "swallow" },
  { at: "out:ack:message", do: "cut" },
  { at: "in:message", do: "cut-after" },
  { at: "in:receipt", do: "swallow", times: 3 },
  { at: "in:receipt", do: "cut" },
  { at: "out:message", do: "duplicate", times: 3 },
  { at: "out:message", do: "cut-after" },
  { at: "in:iq:usync", do: "delay", ms: 100 },
  { at: "login", do: "delay", ms: 150 },
];

/** Kills one linked daemon while people write to it; judges after a rest. */
export async function killInTraffic(scene: Scene, rounds: number): Promise<TrafficResult> {
  const { wa, random } = scene;
  const owner = wa.addPhone({ number: "15550001000", name: "Owner" });
  const ada = wa.addPhone({ number: "491700000001", name: "Ada" });
  const bob = wa.addPhone({ number: "447700900002", name: "Bob" });
  bob.addressing = "lid";
  const eve = wa.addPhone({ number: "33600000003", name: "Eve" });
  const people = [ada, bob, eve];
  const group = wa.addGroup({ subject: "Team", members: [owner, ada, bob] });
  const linksBefore = wa.links.count;

  const victim = await scene.daemon("traffic");
  victim.start();
  const shown = await victim.channel(({ linking }) => Boolean(linking?.qr));
  await owner.scanQr(shown?.linking?.qr ?? "");
  await victim.channel(({ state }) => state === "ready");

  const written: Written[] = [];
  const write = async (): Promise<void> => {
    const text = `message ${written.length + 1}`;
    const writer = people[Math.floor(random() * people.length)] ?? ada;
    if (writer !== eve && random() < 0.3) {
      written.push({ text, chat: group.jid, readers: [ada.number, bob.number] });
      await writer.send(group, text);
    } else {
      written.push({ text, chat: writer.number, readers: [writer.number] });
      await writer.send(owner, text);
    }
  };
  let kills = 0;
  for (let round = 1; round <= rounds; round++) {
    const { name, seen } = moment(wa, random);
    const hindrance = hindrances[Math.floor(random() * hindrances.length * 3)];
    if (hindrance) wa.fault(hindrance);
    for (let count = 1 + Math.floor(random() * 4); count > 0; count--) {
      await write();
      if (random() < 0.5) await pause(Math.floor(random() * 60));
    }
    await seen;
    await pause(Math.floor(random() ** (victim.options.power ? 6 : 2) * AFTER_MS));
    await victim.kill();
    kills++;
    wa.faults.clear();
    victim.start();
    const beside = hindrance ? `, ${hindrance.at} ${hindrance.do}` : "";
    scene.trace(`round ${round}: killed after ${name}${beside}, ${written.length} messages`);
    if (round % 25 === 0) scene.say(`round ${round}: ${written.length} messages`);
  }
  const failed = await rest(victim, people, written, scene);
  await victim.end("SIGTERM");
  const sum = (count: (phone: Phone) => number) =>
    [owner, ...people].reduce((total, phone) => total + count(phone), 0);
  return {
    ...judge(written, people.flatMap(readBy)),
    kills,
    links: wa.links.count - linksBefore,
    duplicates: sum((phone) => phone.duplicates.count),
    retries: wa.retriesAsked.count,
    undecryptable: sum((phone) => phone.undecryptable.count),
    failed,
  };
}

/** What the kill follows: the n-th login, receipt or message of the client from now on, or nothing at all. */
function moment(wa: WhatsAppDouble, random: () => number): { name: string; seen: Promise<void> } {
  const next = (recorder: { count: number; waitForCount: Recorder<unknown>["waitForCount"] }) => {
    const nth = 1 + Math.floor(random() * 3);
    return recorder.waitForCount(recorder.count + nth, undefined, MOMENT_MS).then(
      () => {},
      () => {},
    );
  };
  const moments: [string, () => Promise<void>][] = [
    ["nothing", () => pause(Math.floor(random() * 700))],
    ["a login", () => next(wa.logins)],
    ["a receipt", () => next(wa.clientReceipts)],
    ["a send", () => next(wa.clientMessages)],
  ];
  const [name, seen] = moments[Math.floor(random() * moments.length)] ?? [
    "nothing",
    () => pause(0),
  ];
  return { name, seen: seen() };
}

/** Waits until every answer came and nothing is open. Answers how many deliveries failed. */
async function rest(
  victim: WebVictim,
  people: Phone[],
  written: Written[],
  scene: Scene,
): Promise<number> {
  const complete = () => judge(written, people.flatMap(readBy)).lost.length === 0;
  const status = await victim.until(
    ({ inbox, outbox, turns }) =>
      inbox.pending + outbox.pending + turns.running === 0 && complete(),
  );
  if (!status) scene.say(`no rest: ${victim.lines.slice(-5).join("\n")}`);
  return status?.outbox.failed ?? 0;
}

function readBy(phone: Phone): Read[] {
  return phone.inbox.all.flatMap(({ id, text, fromOwnAccount, from }) =>
    text === undefined || fromOwnAccount || from !== "15550001000"
      ? []
      : [{ reader: phone.number, id, text }],
  );
}
