import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chunkText, textLimit } from "../../channels/text.ts";
import { controlClient } from "../../control/client.ts";
import { selfCommand } from "../../runtime/self.ts";
import type { Environment } from "../command.ts";
import { startDaemonProcess, type DaemonProcess } from "./daemon-process.ts";
import { countAnswers, type Figures } from "./figures.ts";
import type { DemoPlatform } from "./platform.ts";

/** What the daemon takes over from the person's environment: no REVKA_ settings, no keys, no proxies. */
const passedOn = ["PATH", "HOME", "TMPDIR", "TEMP", "LANG", "LC_ALL", "TZ", "SYSTEMROOT"];
const replyTimeoutMs = 15_000;
const stopGraceMs = 3_000;

export interface Reply {
  texts: string[];
  /** From the customer's message to the last text, ms. */
  tookMs: number;
  seen: string | null;
  id: string;
}

/** A stand-in for the platform and a real daemon that answers through it, in a home of their own. */
export class DemoSession {
  readonly #said: string[] = [];
  #underWay = 0;

  private constructor(
    readonly platform: DemoPlatform,
    readonly daemon: DaemonProcess,
    readonly home: string,
    readonly webhook: string,
    private readonly forget: () => void,
  ) {}

  /** Throws where the daemon does not come up or the webhook is not taken; nothing is left behind then. */
  static async start(options: {
    platform: DemoPlatform;
    env: Environment;
    extraArgs: readonly string[];
    onLine: (line: string) => void;
  }): Promise<DemoSession> {
    const { platform, env } = options;
    const home = mkdtempSync(join(tmpdir(), "revka-demo-"));
    let daemon: DaemonProcess | null = null;
    // The last resort, for an end that leaves no time to wait.
    const clean = () => {
      daemon?.kill("SIGKILL");
      rmSync(home, { recursive: true, force: true });
    };
    process.once("exit", clean);
    const forget = () => process.removeListener("exit", clean);
    try {
      daemon = await startDaemonProcess({
        command: selfCommand([]),
        home,
        config: { agent: { kind: "echo" }, channels_config: platform.channelsConfig },
        env: Object.fromEntries(passedOn.map((name) => [name, env[name]])),
        extraArgs: options.extraArgs,
        isUp: (status) => status === 200,
        onLine: options.onLine,
      });
      const webhook = await platform.connect(daemon.url);
      return new DemoSession(platform, daemon, home, webhook, forget);
    } catch (error) {
      await daemon?.stop(stopGraceMs);
      await platform.stop();
      clean();
      forget();
      throw error;
    }
  }

  /** Writes as the customer and waits for everything that the daemon answers. */
  ask(text: string): Promise<Reply> {
    this.#said.push(text);
    return this.#during(() => this.#exchange(text));
  }

  /** The platform delivers a message once more. Resolves when it was taken. */
  repeat(id: string, text: string): Promise<void> {
    return this.#during(() => this.platform.writeAgain(id, text));
  }

  /** What went to and fro; null while something still does, since nobody can tell yet what becomes of it. */
  figures(): Figures | null {
    if (this.#underWay > 0) return null;
    // As the daemon sends what the echo agent says.
    const expected = this.#said.map((text) => chunkText(text.toWellFormed(), textLimit));
    const webhooks = this.platform.webhooks();
    return { webhooks, ...countAnswers(expected, this.platform.received()) };
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
    }
  }

  async #exchange(text: string): Promise<Reply> {
    const { platform } = this;
    const before = platform.received().length;
    const webhooks = platform.webhooks();
    const started = performance.now();
    const id = platform.write(text);
    await Promise.race([
      platform.waitForReceived(before + 1, replyTimeoutMs),
      this.daemon.exited.then(({ code, signal }) => {
        throw new Error(`the daemon ended with ${signal ?? `code ${code}`}`);
      }),
    ]);
    // A long text is answered in several pieces: wait until the daemon has nothing left to send.
    const control = controlClient(join(this.home, "revka.sock"));
    const until = started + replyTimeoutMs;
    for (;;) {
      const { inbox, outbox } = await control.status();
      if (inbox.pending + outbox.pending === 0) break;
      if (performance.now() > until) {
        throw new Error(`the daemon still has ${outbox.pending} deliveries that it cannot confirm`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const texts = platform.received().slice(before);
    const reply = { id, texts, tookMs: performance.now() - started, seen: platform.seen(id) };
    // The reply may be here before the platform has read that its webhook was taken.
    await platform.waitForWebhooks(webhooks + 1, replyTimeoutMs);
    return reply;
  }

  async stop(): Promise<void> {
    await this.daemon.stop(stopGraceMs);
    await this.platform.stop();
    rmSync(this.home, { recursive: true, force: true });
    this.forget();
  }
}
