import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { envelope, inboundMessage, serialise } from "../../src/simulator/graph/bodies.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { signature } from "../../src/simulator/graph/webhooks.ts";
import { freePort } from "../free-port.ts";
import { Victim } from "../torture/daemon.ts";
import { startPlatform } from "./platform.ts";

export interface LongRunOptions {
  messages: number;
  /** Messages that are under way at once. */
  window: number;
  statuses: boolean;
  receipts: boolean;
  /** Points of measurement over the whole run. */
  samples: number;
  /** An executable of Revka; the source when null. */
  binary: string | null;
  onSample(sample: Sample): void;
}

/** What is seen after so many answered messages. */
export interface Sample {
  messages: number;
  /** Since the sample before, messages a second. */
  rate: number;
  /** Processor time of the daemon for each message since the sample before, microseconds; null where Linux is not. */
  cpu: number | null;
  /** Resident memory of the daemon, bytes. */
  memory: number;
  /** Store and WAL on disk. */
  storeBytes: number;
}

export interface LongRunReport {
  samples: Sample[];
  seconds: number;
  answered: number;
  answeredTwice: number;
  /** From a webhook's post to its 200, ms. */
  acknowledgement: { median: number; p99: number };
  crashes: string[];
}

/** Fewer than the 45 that Meta lets go to one person at once, so that the pace of a chat never counts. */
const messagesPerChat = 10;
/**
 * People who write at the same time, until each has sent all of theirs: short and long histories then come in equal
 * parts all through the run, and what changes from first to last is the store alone.
 */
const peopleAtOnce = 1_000;
const appSecret = "long-run-secret";
const business = {
  businessAccountId: "1020000000000001",
  phoneNumberId: "1060000000000001",
  displayPhoneNumber: "15550783881",
};

/** Sends so many messages through a daemon with the echo agent, as fast as it takes them. */
export async function longRun(options: LongRunOptions): Promise<LongRunReport> {
  const folder = mkdtempSync(join(tmpdir(), "revka-long-run-"));
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const answered = new Uint8Array(options.messages);
  let answers = 0;
  let answeredTwice = 0;
  let progress = () => {};
  const post = (bytes: Uint8Array) => postUntilTaken(`${url}/whatsapp`, bytes, agent);
  const platform = startPlatform({
    business,
    statuses: options.statuses,
    post: async (bytes) => void (await post(bytes)),
    onText(text) {
      const number = Number(text);
      if (answered[number] === 0) answers++;
      else answeredTwice++;
      answered[number] = 1;
      progress();
    },
  });
  const victim = new Victim({
    home: join(folder, "home"),
    port,
    binary: options.binary,
    config: daemonConfig(platform.url, options.receipts),
  });
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", clean);
  const store = join(folder, "home", "revka.db");
  const samples: Sample[] = [];
  const times: number[] = [];
  const began = performance.now();
  try {
    victim.start();
    let sampledAt = began;
    let sampled = 0;
    let cpuBefore = 0;
    const each = Math.ceil(options.messages / options.samples);
    for (let number = 0; number < options.messages;) {
      const under = number - answers;
      if (under >= options.window) {
        await new Promise<void>((resolve) => (progress = resolve));
        continue;
      }
      const bytes = messageBody(number, chatOf(number));
      const posted = performance.now();
      void post(bytes).then(() => times.push(performance.now() - posted));
      number++;
      // The loop must not outrun the sockets it writes to.
      if (number % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (answers - sampled >= each || (number === options.messages && samples.length === 0)) {
        const now = performance.now();
        const memory = await residentMemory(url);
        const cpu = cpuTime(victim.pid);
        const sample: Sample = {
          messages: answers,
          cpu: cpu === null ? null : (cpu - cpuBefore) / (answers - sampled),
          rate: ((answers - sampled) / (now - sampledAt)) * 1000,
          memory,
          storeBytes: storeBytes(store),
        };
        samples.push(sample);
        options.onSample(sample);
        sampled = answers;
        cpuBefore = cpu ?? 0;
        sampledAt = now;
      }
    }
    const until = performance.now() + 60_000;
    while (answers < options.messages && performance.now() < until) {
      await pause(20);
    }
    const seconds = (performance.now() - began) / 1000;
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
    return {
      samples,
      seconds,
      answered: answers,
      answeredTwice,
      acknowledgement: { median: at(0.5), p99: at(0.99) },
      crashes: victim.crashes,
    };
  } finally {
    await victim.end("SIGKILL");
    await platform.stop();
    agent.destroy();
    process.removeListener("exit", clean);
    clean();
  }
}

function daemonConfig(platformUrl: string, receipts: boolean): Record<string, unknown> {
  return {
    agent: { kind: "echo", max_concurrent_turns: 64 },
    channels_config: {
      read_receipts: receipts,
      typing: receipts,
      whatsapp: {
        access_token: "EAAlongrun",
        app_secret: appSecret,
        verify_token: "verify",
        phone_number_id: business.phoneNumberId,
        allowed_numbers: ["*"],
        api_base_url: platformUrl,
        graph_api_version: "v26.0",
        messages_per_second: 1_000_000,
      },
    },
  };
}

function chatOf(number: number): number {
  const group = Math.floor(number / (peopleAtOnce * messagesPerChat));
  return group * peopleAtOnce + (number % peopleAtOnce);
}

function messageBody(number: number, chat: number): Uint8Array {
  const { message, contact } = inboundMessage(
    {
      from: { phone: `1555${1_000_000 + chat}` },
      content: content.text(String(number)),
    },
    business,
    Date.now(),
  );
  return serialise(envelope(business, { contacts: [contact], messages: [message] }));
}

/** Resolves once the body is answered 200, however often that takes. */
async function postUntilTaken(url: string, bytes: Uint8Array, agent: Agent): Promise<void> {
  const headers = {
    "content-type": "application/json",
    "content-length": bytes.length,
    "x-hub-signature-256": signature(appSecret, bytes),
  };
  for (;;) {
    const status = await new Promise<number | null>((resolve) => {
      const posting = request(url, { method: "POST", agent, headers }, (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode ?? null));
        answer.on("error", () => resolve(null));
      });
      posting.on("error", () => resolve(null));
      posting.end(bytes);
    });
    if (status === 200) return;
    await pause(50);
  }
}

/** Size of the store on disk, bytes: the file and its WAL. */
function storeBytes(path: string): number {
  return [path, `${path}-wal`]
    .filter((file) => existsSync(file))
    .reduce((sum, file) => sum + statSync(file).size, 0);
}

/** Processor time that a process has used, microseconds. Source: proc_pid_stat(5), fields utime and stime. */
function cpuTime(pid: number | null): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isFinite(ticks) ? ticks * 10_000 : null;
  } catch {
    return null;
  }
}

async function residentMemory(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^revka_resident_memory_bytes (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
}
