import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ChannelReport, ControlApi, StatusReport } from "../../../src/control/api.ts";
import { controlClient } from "../../../src/control/client.ts";
import type { Phone } from "../../doubles/whatsapp-web/phone.ts";
import { silenceLibsignal } from "../../doubles/whatsapp-web/quiet.ts";
import { type WhatsAppDouble, startDouble } from "../../doubles/whatsapp-web/server.ts";
import { startDaemon, type TestDaemon } from "./daemon.ts";

type Table = Record<string, unknown>;

export const owner = { number: "15550001000", name: "Owner" };
export const ada = { number: "491700000001", name: "Ada" };
export const bob = { number: "447700900002", name: "Bob" };

/** Generous, since nothing waits for it but a test that fails: the machine may be busy. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 10;

const trustDouble = fileURLToPath(
  new URL("../../doubles/whatsapp-web/trust-double.ts", import.meta.url),
);
const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

export interface WebChanges {
  whatsapp?: Table;
  channels?: Table;
  agent?: Table;
  root?: Table;
}

export interface CommandResult {
  code: number;
  out: string;
  err: string;
}

/** A stand-in for WhatsApp with an owner and two contacts, and a real daemon in a home of its own that knows it. */
export class WebSetup {
  readonly owner: Phone;
  readonly ada: Phone;
  readonly bob: Phone;
  #daemon: TestDaemon | null = null;

  constructor(
    readonly wa: WhatsAppDouble,
    readonly home: string,
    public changes: WebChanges,
    /** What the daemon runs from; an executable trusts WhatsApp alone, and so not the double. */
    readonly from: { binary: string } | { preload: string } = { preload: trustDouble },
  ) {
    this.owner = wa.addPhone(owner);
    this.ada = wa.addPhone(ada);
    this.bob = wa.addPhone(bob);
    writeFileSync(join(home, "media.pem"), wa.mediaCertificate ?? "");
  }

  get daemon(): TestDaemon {
    if (!this.#daemon) throw new Error("no daemon is running");
    return this.#daemon;
  }

  get control(): ControlApi {
    return controlClient(join(this.home, "revka.sock"));
  }

  get sessionPath(): string {
    return join(this.home, "whatsapp-session.db");
  }

  /** Starts the daemon on the home as it is. */
  async start(): Promise<TestDaemon> {
    const { changes } = this;
    this.#daemon = await startDaemon({
      home: this.home,
      ...this.from,
      env: this.#environment,
      config: {
        agent: { kind: "echo", ...changes.agent },
        channels_config: {
          ...changes.channels,
          whatsapp: {
            session_path: this.sessionPath,
            ws_url: this.wa.url,
            allowed_numbers: ["*"],
            ...changes.whatsapp,
          },
        },
        ...changes.root,
      },
    });
    return this.#daemon;
  }

  /** Stops the daemon by SIGTERM, with what `change` says the next one is configured otherwise. */
  async restart(changes: WebChanges = this.changes): Promise<void> {
    await this.daemon.stop();
    this.changes = changes;
    await this.start();
    await this.ready();
  }

  /** Scans the code that `status` shows, as a person does. */
  async link(): Promise<void> {
    await this.owner.scanQr(await this.qr());
    await this.ready();
  }

  async qr(): Promise<string> {
    const { linking } = await this.until(({ linking }) => Boolean(linking?.qr));
    return linking?.qr ?? "";
  }

  ready(): Promise<ChannelReport> {
    return this.state("ready");
  }

  state(state: ChannelReport["state"]): Promise<ChannelReport> {
    return this.until((channel) => channel.state === state);
  }

  /** The channel as `status` shows it, once it is as wanted. */
  async until(wanted: (channel: ChannelReport) => boolean): Promise<ChannelReport> {
    let last: ChannelReport | undefined;
    await this.untilStatus((status) => {
      last = status.channels[0];
      return last !== undefined && wanted(last);
    });
    if (!last) throw new Error("no channel");
    return last;
  }

  async untilStatus(wanted: (status: StatusReport) => boolean): Promise<StatusReport> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const status = await this.daemon.status();
      if (wanted(status)) return status;
      if (performance.now() > until) {
        const log = this.daemon.lines.slice(-10).join("\n");
        throw new Error(`the status did not become as wanted: ${JSON.stringify(status)}\n${log}`);
      }
      await Bun.sleep(LOOK_MS);
    }
  }

  /** Resolves once a counter of `/metrics` stands at `count` at least. */
  async counted(name: string, label: string, count = 1): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const text = await (await fetch(`${this.daemon.url}/metrics`)).text();
      const line = text.split("\n").find((one) => one.startsWith(name) && one.includes(label));
      if (Number(line?.split(" ").at(-1) ?? 0) >= count) return;
      if (performance.now() > until) throw new Error(`${name} ${label} never reached ${count}`);
      await Bun.sleep(LOOK_MS);
    }
  }

  /** Nothing waits, nothing is being answered. */
  async quiet(): Promise<void> {
    await this.untilStatus(
      ({ inbox, outbox, turns }) => inbox.pending + outbox.pending + turns.running === 0,
    );
  }

  /** WhatsApp keeps nothing for this device: all of it was acknowledged. Receipts may come after a chat is at rest. */
  async acknowledged(): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const kept = this.owner.companions.flatMap(({ mailbox }) => mailbox.ids());
      if (kept.length === 0) return;
      if (performance.now() > until) throw new Error(`never acknowledged: ${kept.join(", ")}`);
      await Bun.sleep(LOOK_MS);
    }
  }

  /** Runs a command of the same home as a process, as a person does. */
  async revka(...words: string[]): Promise<CommandResult> {
    const child = Bun.spawn({
      cmd: [process.execPath, main, ...words],
      env: { PATH: process.env["PATH"], HOME: this.home, REVKA_HOME: this.home, NO_COLOR: "1" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, out, err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]();
    await this.wa.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  get #environment(): Record<string, string> {
    return {
      REVKA_TEST_WA_ROOT: this.wa.rootHex,
      NODE_EXTRA_CA_CERTS: join(this.home, "media.pem"),
    };
  }
}

/** Starts both; the daemon shows a code to link with. */
export async function startWeb(changes: WebChanges = {}): Promise<WebSetup> {
  silenceLibsignal();
  const setup = await prepareWeb(changes);
  try {
    await setup.start();
    return setup;
  } catch (error) {
    await setup[Symbol.asyncDispose]();
    throw error;
  }
}

/** As {@link startWeb}, before the daemon is started. */
export async function prepareWeb(
  changes: WebChanges = {},
  from?: WebSetup["from"],
): Promise<WebSetup> {
  const wa = await startDouble();
  return new WebSetup(wa, mkdtempSync(join(tmpdir(), "revka-web-")), changes, from);
}

/** As {@link startWeb}, linked by QR and logged in. */
export async function startLinked(changes: WebChanges = {}): Promise<WebSetup> {
  const setup = await startWeb(changes);
  try {
    await setup.link();
    return setup;
  } catch (error) {
    await setup[Symbol.asyncDispose]();
    throw error;
  }
}
