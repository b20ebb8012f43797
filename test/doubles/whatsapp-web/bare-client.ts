import {
  type AuthenticationCreds,
  type BinaryNode,
  type ConnectionState,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type UserFacingSocketConfig,
  type WAMessage,
  type WASocket,
  initAuthCreds,
  makeWASocket,
} from "@whiskeysockets/baileys";
import { pino } from "pino";
import { Recorder } from "./recorder.ts";

/** An in-memory session store. Values are copied, so nothing is changed behind the store's back. */
class MemoryStore implements SignalKeyStore {
  private readonly values = new Map<string, unknown>();

  async get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    for (const id of ids) {
      const value = this.values.get(`${type} ${id}`);
      if (value !== undefined) found[id] = structuredClone(value) as SignalDataTypeMap[T];
    }
    return found;
  }

  async set(data: SignalDataSet): Promise<void> {
    for (const [type, entries] of Object.entries(data)) {
      for (const [id, value] of Object.entries(entries ?? {})) {
        if (value === null) this.values.delete(`${type} ${id}`);
        else this.values.set(`${type} ${id}`, structuredClone(value));
      }
    }
  }
}

/** A message a client was given, and whether as news (`notify`) or as backlog (`append`). */
export interface Upsert {
  message: WAMessage;
  type: string;
}

/** A bare Baileys socket with an in-memory session: what the double's own tests drive. */
export class BareClient {
  readonly creds: AuthenticationCreds = initAuthCreds();
  readonly keys = new MemoryStore();
  readonly updates = new Recorder<Partial<ConnectionState>>("connection update");
  readonly upserts = new Recorder<Upsert>("upsert");
  readonly changes = new Recorder<{ id: string; status: number | undefined; stub: string }>(
    "message update",
  );
  /** the server's word on what was sent */
  readonly acks = new Recorder<{ id: string; error: string | undefined }>("ack");
  /** what was sent, for retries */
  readonly sent = new Map<string, WAMessage["message"]>();
  private socket: WASocket | undefined;

  constructor(
    private readonly double: { url: string },
    private readonly config: Partial<UserFacingSocketConfig> = {},
  ) {}

  get sock(): WASocket {
    if (!this.socket) throw new Error("not connected");
    return this.socket;
  }

  /** Opens a new connection; the old one, if any, is ended first. */
  connect(): WASocket {
    void this.socket?.end(undefined);
    this.updates.clear();
    const sock = makeWASocket({
      auth: { creds: this.creds, keys: this.keys },
      waWebSocketUrl: this.double.url,
      logger: pino({ level: process.env.REVKA_TEST_WA_LOG ?? "silent" }),
      connectTimeoutMs: 3_000,
      retryRequestDelayMs: 1,
      shouldSyncHistoryMessage: () => false,
      getMessage: async ({ id }) => this.sent.get(id ?? "") ?? undefined,
      ...this.config,
    });
    sock.ev.on("creds.update", (update) => void Object.assign(this.creds, update));
    sock.ev.on("connection.update", (update) => {
      if (this.socket === sock) this.updates.add(update);
    });
    sock.ev.on("messages.upsert", ({ messages, type }) => {
      for (const message of messages) this.upserts.add({ message, type });
    });
    sock.ev.on("messages.update", (updates) => {
      for (const { key, update } of updates) {
        const stub = update.messageStubParameters?.join(" ") ?? "";
        this.changes.add({ id: key.id ?? "", status: update.status ?? undefined, stub });
      }
    });
    sock.ws.on("CB:ack,class:message", ({ attrs }: BinaryNode) =>
      this.acks.add({ id: attrs.id ?? "", error: attrs.error }),
    );
    this.socket = sock;
    return sock;
  }

  /** Connects until logged in; the client must be linked. */
  async login(): Promise<WASocket> {
    const sock = this.connect();
    await this.open();
    return sock;
  }

  async open(): Promise<void> {
    await this.updates.waitFor(({ connection }) => connection === "open");
  }

  async nextQr(): Promise<string> {
    const { qr } = await this.updates.waitFor((update) => update.qr !== undefined);
    return qr ?? "";
  }

  /** Waits for the end of the connection and gives its status code. */
  async closed(timeoutMs = 5_000): Promise<number | undefined> {
    const closed = await this.updates.waitFor(
      ({ connection }) => connection === "close",
      timeoutMs,
    );
    const error = closed.lastDisconnect?.error;
    return error && "output" in error
      ? (error.output as { statusCode: number }).statusCode
      : undefined;
  }

  async sendText(jid: string, text: string, id?: string): Promise<string> {
    const sent = await this.sock.sendMessage(jid, { text }, id ? { messageId: id } : {});
    if (!sent?.key.id) throw new Error("nothing was sent");
    this.sent.set(sent.key.id, sent.message);
    return sent.key.id;
  }

  /** The first message with this text. */
  received(text: string, timeoutMs = 5_000): Promise<Upsert> {
    return this.upserts.waitFor(({ message }) => textOf(message) === text, timeoutMs);
  }

  async close(): Promise<void> {
    await this.socket?.end(undefined);
  }
}

export function textOf(message: WAMessage): string | undefined {
  const content = message.message;
  return content?.conversation ?? content?.extendedTextMessage?.text ?? undefined;
}
