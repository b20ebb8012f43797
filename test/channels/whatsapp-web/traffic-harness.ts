import { spyOn } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createHash } from "node:crypto";
import { type AddressInfo, type Socket as Line, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BinaryNode, encodeWAMessage, type proto } from "@whiskeysockets/baileys";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { Acknowledgements } from "../../../src/channels/whatsapp-web/acknowledgements.ts";
import { createCaches } from "../../../src/channels/whatsapp-web/caches.ts";
import { MediaConnections } from "../../../src/channels/whatsapp-web/media-connection.ts";
import { MediaRetries } from "../../../src/channels/whatsapp-web/media-retry.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { Ingress } from "../../../src/channels/whatsapp-web/socket.ts";
import { bundledVersion } from "../../../src/channels/whatsapp-web/version.ts";
import { openWired } from "../../../src/channels/whatsapp-web/wiring.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { Recorder } from "../../doubles/whatsapp-web/recorder.ts";
import { fakeClock } from "../../support/clock.ts";

export const ADA = "491700000001@s.whatsapp.net";
export const ADA_LID = "900491700000001@lid";

const SWITCHING =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
/** RFC 6455, section 4.2.2. */
const acceptOf = (key: string) =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

/** A wired socket on an open line that nobody answers: what comes is put on by hand. */
export class Traffic {
  readonly clock = fakeClock();
  readonly acknowledgements = new Acknowledgements();
  readonly mediaRetries = new MediaRetries({ clock: this.clock, log: silentLog });
  readonly caches = createCaches(this.clock);
  readonly handed: InboundEvent[] = [];
  /** What the connection is told of its own life. */
  readonly told = new Recorder<string>("word to the connection");
  /** What is being decrypted, and how long that takes. */
  readonly read = new Recorder<string>("read");
  reading = async (): Promise<void> => {};
  /** What it is then. */
  plaintext = (id: string): proto.IMessage => ({ conversation: id });
  /** How long it takes to find the number of a LID. */
  lookUp = async (): Promise<void> => {};
  session: Session;
  readonly ingress = new Ingress({
    session: () => this.session,
    deliver: async (events) => void this.handed.push(...events),
    ...{ clock: this.clock, log: silentLog },
  });
  private readonly wired;

  private constructor(
    private readonly folder: string,
    readonly lines: Recorder<Line>,
    port: number,
    private readonly close: () => void,
  ) {
    this.session = this.open();
    this.watchReading();
    const { session, ingress, acknowledgements, mediaRetries, caches, clock } = this;
    const mediaConnections = new MediaConnections(clock);
    this.wired = openWired({
      ...{ session, ingress, acknowledgements, mediaRetries, caches, clock, log: silentLog },
      ...{ mediaConnections, fetch: async () => new Response(null, { status: 404 }) },
      ...{ version: bundledVersion, url: `ws://127.0.0.1:${port}/`, proxy: null },
      events: {
        accepted: () => this.told.add("accepted"),
        opened: () => this.told.add("opened"),
        qr: (payload) => this.told.add(`qr ${payload}`),
        linked: () => this.told.add("linked"),
        passkey: () => this.told.add("passkey"),
        expires: (secs) => this.told.add(`expires ${secs}`),
        proxyFailed: () => this.told.add("proxyFailed"),
        ended: (code) => this.told.add(`ended ${code}`),
      },
      pairing: { digits: "", code: null },
    });
  }

  static async start(): Promise<Traffic> {
    const folder = mkdtempSync(join(tmpdir(), "revka-traffic-"));
    const lines = new Recorder<Line>("line");
    const server = createServer((line) => {
      lines.add(line.on("error", () => {}));
      line.once("data", (request) => {
        const [, key = ""] = /sec-websocket-key: (\S+)/i.exec(String(request)) ?? [];
        line.write(`${SWITCHING}${acceptOf(key)}\r\n\r\n`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const traffic = new Traffic(folder, lines, port, () => server.close());
    await new Promise<void>((resolve) => traffic.sock.ws.once("open", resolve));
    return traffic;
  }

  get sock() {
    return this.wired.sock;
  }

  get socket() {
    return this.wired.socket;
  }

  hear(name: string, attrs: BinaryNode["attrs"], content: BinaryNode[] = []): void {
    this.sock.ws.emit(name, { tag: name.replace(/^CB:/, ""), attrs, content });
  }

  /** What was handed over, what is only counted by its reason. */
  async kinds(): Promise<string[]> {
    await this.ingress.settled();
    return this.handed.map((event) => (event.kind === "ignored" ? event.reason : event.kind));
  }

  /** The session as the next start finds it. */
  reopen(): Session {
    this.session.close();
    return (this.session = this.open());
  }

  async stop(): Promise<void> {
    this.socket.end();
    await this.ingress.stop();
    this.session.close();
    this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private open(): Session {
    const hooks = { onReceived: () => {}, onMappings: () => {} };
    return Session.open({ path: join(this.folder, "s.db"), env: {} }, this.clock, hooks);
  }

  private watchReading(): void {
    const { repository } = this.session;
    const { make } = repository;
    spyOn(repository, "make").mockImplementation((...values) => {
      const made = make(...values);
      const numberOf = made.lidMapping.getPNForLID.bind(made.lidMapping);
      spyOn(made.lidMapping, "getPNForLID").mockImplementation(async (lid) => {
        await this.lookUp();
        return numberOf(lid);
      });
      // No server is asked for what is not known.
      spyOn(made.lidMapping, "getLIDForPN").mockImplementation(async (jid) =>
        this.session.mappings.lidOfPhone(jid.replace(/[:@].*/, "")),
      );
      return {
        ...made,
        decryptMessage: async ({ ciphertext }) => {
          this.read.add(String(ciphertext));
          await this.reading();
          return encodeWAMessage(this.plaintext(String(ciphertext)));
        },
      };
    });
  }
}
