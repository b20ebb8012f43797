import type { KeyPair } from "@whiskeysockets/baileys";
import { Account, Directory } from "./account.ts";
import { processRoot, trustRoot } from "./certificate.ts";
import type { Companion } from "./companion.ts";
import { Connection } from "./connection.ts";
import { type Fault, Faults } from "./faults.ts";
import { Group } from "./groups.ts";
import { Links } from "./links.ts";
import { admit, giveOut } from "./login.ts";
import { MediaStore } from "./media.ts";
import type { MediaRetry } from "./media-retry.ts";
import { type MediaServer, startMediaServer } from "./media-server.ts";
import { Phone } from "./phone.ts";
import { type ClientMessage, acceptMessage } from "./post.ts";
import { acceptChatState, acceptPresence } from "./presence.ts";
import { answerQuery } from "./queries.ts";
import { type ClientReceipt, acceptAck, acceptReceipt } from "./receipts.ts";
import { Recorder } from "./recorder.ts";
import { listen } from "./socket.ts";
import { type BinaryNode, attribute, child } from "./stanza.ts";

export interface DoubleOptions {
  /** TCP port of the WebSocket; 0, the default, takes a free one */
  port?: number;
  /** refuse clients older than this with 405 */
  minimumVersion?: number[];
  /** start the HTTPS media server. Default true */
  media?: boolean;
  root?: KeyPair;
}

/** The server and everyone on it. */
export class WhatsAppDouble {
  readonly directory = new Directory();
  readonly groups = new Map<string, Group>();
  readonly media = new MediaStore();
  readonly faults = new Faults();
  readonly links: Links;

  /** what clients did, in order */
  readonly logins = new Recorder<{ jid: string; passive: boolean }>("login");
  readonly registrations = new Recorder<number>("registration");
  readonly unlinked = new Recorder<string>("unlinked device");
  readonly refusals = new Recorder<number>("refused login");
  readonly clientMessages = new Recorder<ClientMessage>("client message");
  readonly clientReceipts = new Recorder<ClientReceipt>("client receipt");
  readonly clientAcks = new Recorder<{ id: string; class: string; error: string | undefined }>(
    "client ack",
  );
  readonly retriesAsked = new Recorder<{ id: string; by: string; attempt: number }>("retry");
  /** files that clients asked their phones to upload again */
  readonly mediaRetries = new Recorder<MediaRetry>("media retry");
  /** queries the double answered with an empty result because it does not know them */
  readonly unhandled = new Recorder<BinaryNode>("unknown query");
  readonly errors = new Recorder<unknown>("error");
  /** for each time a client asked for the server's switches: whether it said to know them, and so hears of changes alone */
  readonly propsKnown = new Recorder<boolean>("query for switches");
  pings = 0;
  /** connections opened since the start, whether or not they got through the handshake */
  opened = 0;
  /** most connections open at the same time */
  mostConnections = 0;
  readReceipts: "all" | "none" = "all";
  minimumVersion: number[] | undefined;
  /** chats go by LIDs: what a client addresses to the number of another is refused with 463 */
  lidsOnly = false;
  /**
   * who gave the account no token gets nothing (463) but what shows that the client knows this: HMAC-SHA256 of the
   * recipient's LID under it
   */
  salt: Buffer | undefined;
  /** what was kept for a client is given out as far as the client asks for it */
  inBatches = false;

  readonly connections = new Set<Connection>();
  private readonly phones = new Map<Account, Phone>();
  private stopListening: () => Promise<void> = async () => {};
  private mediaServer: MediaServer | undefined;
  port = 0;

  constructor(readonly root: KeyPair) {
    this.links = new Links(this);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws/chat`;
  }
  /** What REVKA_TEST_WA_ROOT must hold in a client's process. */
  get rootHex(): string {
    return Buffer.from(this.root.public).toString("hex");
  }
  /** PEM of the media server's certificate, for NODE_EXTRA_CA_CERTS. */
  get mediaCertificate(): string | undefined {
    return this.mediaServer?.certificate;
  }
  get refs() {
    return this.links.refs;
  }

  async start(options: DoubleOptions): Promise<void> {
    this.minimumVersion = options.minimumVersion;
    if (options.media ?? true) {
      this.mediaServer = startMediaServer(this.media, this.faults);
      this.media.host = this.mediaServer.host;
    }
    const listening = listen(options.port ?? 0, this.faults, (wire) => this.open(wire));
    this.port = listening.port;
    this.stopListening = listening.stop;
  }

  async stop(): Promise<void> {
    for (const connection of this.connections) connection.cut();
    await this.stopListening();
    await this.mediaServer?.stop();
  }

  /** Creates an account with its phone. The LID is derived from the number unless given. */
  addPhone(options: { number: string; name?: string; lid?: string }): Phone {
    const { number, name = number, lid = `9${number.padStart(14, "0")}` } = options;
    const account = new Account(number, lid, name);
    this.directory.add(account);
    const phone = new Phone(this, account);
    this.phones.set(account, phone);
    return phone;
  }

  phone(number: string): Phone | undefined {
    return this.phoneOf(this.directory.find(`${number}@s.whatsapp.net`));
  }

  phoneOf(account: Account | undefined): Phone | undefined {
    return account && this.phones.get(account);
  }

  addGroup(options: { subject: string; members: Phone[]; addressing?: "lid" | "pn" }): Group {
    const { subject, members, addressing } = options;
    const accounts = members.map((phone) => phone.account);
    const group = new Group(subject, accounts, addressing);
    this.groups.set(group.jid, group);
    return group;
  }

  /** Adds a member to a group or removes one; the clients of its members are told. */
  changeGroup(group: Group, change: "add" | "remove", phone: Phone): void {
    const told = new Set([...group.members, phone.account]);
    const notification = group.change(change, phone.account);
    for (const account of told) {
      for (const companion of account.companions.values()) companion.deliver(notification);
    }
  }

  linkByQr(phone: Phone, qr: string): Promise<Companion> {
    return this.links.byQr(phone, qr);
  }

  linkByCode(phone: Phone, code: string, timeoutMs: number): Promise<Companion> {
    return this.links.byCode(phone, code, timeoutMs);
  }

  /** Removes a linked device, as the owner does on the phone; its next login is refused with 401. */
  unlink(companion: Companion): void {
    companion.account.companions.delete(companion.device);
    this.unlinked.add(companion.jid);
    void companion.connection?.streamError(401);
  }

  /** Adds a fault and gives the function that takes it back; see faults.ts for the points. */
  fault(fault: Fault): () => void {
    return this.faults.add(fault);
  }

  /** Breaks all connections at once, as a lost network does. */
  cutAll(): void {
    for (const connection of this.connections) connection.cut();
  }

  /** Sends every logged-in client a stream error. */
  async streamError(code: number): Promise<void> {
    await Promise.all([...this.connections].map((connection) => connection.streamError(code)));
  }

  /** Sockets stay open, nothing is heard and nothing is said, until the returned function is called. */
  deaf(): () => void {
    const taken = ["in", "out"].map((at) => this.faults.add({ at, do: "swallow", times: 0 }));
    return () => {
      for (const giveBack of taken) giveBack();
    };
  }

  private open(wire: ConstructorParameters<typeof Connection>[1]): Connection {
    const events = {
      finished: (connection: Connection, finish: Parameters<typeof admit>[2]) =>
        admit(this, connection, finish),
      received: (connection: Connection, node: BinaryNode) => this.received(connection, node),
      closed: (connection: Connection) => {
        this.connections.delete(connection);
        this.links.closed(connection);
      },
    };
    const connection = new Connection(this.root, wire, this.faults, events, (error) =>
      this.errors.add(error),
    );
    this.connections.add(connection);
    this.opened++;
    this.mostConnections = Math.max(this.mostConnections, this.connections.size);
    return connection;
  }

  private received(connection: Connection, node: BinaryNode): void {
    const self = connection.companion;
    if (!self) return this.links.received(connection, node);
    switch (node.tag) {
      case "iq":
        if (node.attrs.type === "get" || node.attrs.type === "set") {
          answerQuery(this, connection, self, node);
        }
        return;
      case "message":
        return acceptMessage(this, connection, self, node);
      case "receipt":
        return acceptReceipt(this, connection, self, node);
      case "ack":
        return acceptAck(this, self, node);
      case "presence":
        return acceptPresence(self, node);
      case "chatstate":
        return acceptChatState(this, self, node);
      case "ib": {
        const batch = child(node, "offline_batch");
        if (batch) giveOut(connection, Number(attribute(batch, "count")));
        return;
      }
      default:
        this.unhandled.add(node);
    }
  }
}

/** Starts a double in this process and makes this process trust it. */
export async function startDouble(options: DoubleOptions = {}): Promise<WhatsAppDouble> {
  const root = options.root ?? processRoot;
  trustRoot(root.public);
  const double = new WhatsAppDouble(root);
  await double.start(options);
  return double;
}
