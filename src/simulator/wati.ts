import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { systemClock, type Clock } from "../runtime/clock.ts";
import { answerJson, parseJson, readBody } from "./graph/exchange.ts";
import { Journal } from "./graph/journal.ts";
import { LoopbackServer } from "./loopback.ts";
import {
  messageEvent,
  newWamid,
  newWatiId,
  sentEvent,
  sentItem,
  type WatiCustomerMessage,
  type WatiVariant,
} from "./wati/events.ts";
import { WatiFaults, type WatiOperation } from "./wati/faults.ts";
import { readFile, readText, WatiRefusal, type WatiSend } from "./wati/send.ts";
import { postEvent, type WatiWebhookSettings } from "./wati/webhooks.ts";

export type { WatiCustomerMessage, WatiVariant } from "./wati/events.ts";
export type { WatiFault } from "./wati/faults.ts";

export interface WatiSimulatorOptions {
  port?: number;
  token?: string;
  tenant?: string;
  /** Names and numbers that may stand before the colon of a target; any when absent. */
  channels?: string[];
  /** How one message is reported; several are twins. */
  variants?: WatiVariant[];
  /** Report what was sent as `sessionMessageSent_v2` and `sentMessageDELIVERED_v2`. */
  statuses?: boolean;
  webhook?: Partial<WatiWebhookSettings>;
  clock?: Clock;
}

/** A send that WATI took, lost answers included. */
export interface WatiReceived extends WatiSend {
  id: string;
  wamid: string;
  /** Unix ms. */
  at: number;
}

export interface WatiRequest {
  method: string;
  path: string;
  authorization: string | null;
  /** null where nothing was answered. */
  status: number | null;
}

interface StoredFile {
  bytes: Uint8Array;
  mimeType: string;
}

/**
 * A stand-in for WATI on loopback: version 3 of its API as far as Revka uses it (bearer, no tenant in the path), files
 * by address and by message id, webhook events in all their variants, and faults.
 */
export class WatiSimulator {
  readonly token: string;
  readonly tenant: string;
  readonly webhook: WatiWebhookSettings;
  variants: WatiVariant[];
  readonly faults = new WatiFaults();
  /** Waited for between taking a send and answering it: what is said of a message may come before its answer. */
  beforeAnswer: (taken: WatiReceived) => unknown = () => {};
  readonly sends = new Journal<WatiReceived>("sends");
  readonly requests = new Journal<WatiRequest>("requests");
  readonly #channels: string[] | null;
  readonly #statuses: boolean;
  readonly #clock: Clock;
  readonly #files = new Map<string, StoredFile>();
  readonly #server: LoopbackServer;

  constructor(options: WatiSimulatorOptions = {}) {
    this.token = options.token ?? "wati-simulator-token";
    this.tenant = options.tenant ?? "384776";
    this.#channels = options.channels ?? null;
    this.variants = options.variants ?? ["message"];
    this.#statuses = options.statuses ?? false;
    this.#clock = options.clock ?? systemClock;
    this.webhook = { url: null, headers: {}, attempts: 5, retryMs: 100, ...options.webhook };
    this.#server = new LoopbackServer(options.port ?? 0, (request, response) => {
      void this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** Begins to listen on loopback. `url` is what `api_url` takes. */
  async start(): Promise<{ url: string; close(): Promise<void> }> {
    await this.#server.start();
    return { url: this.url, close: () => this.close() };
  }

  get url(): string {
    return this.#server.url;
  }

  /** What was taken so far. */
  get received(): WatiReceived[] {
    return this.sends.entries;
  }

  close(): Promise<void> {
    return this.#server.stop();
  }

  /** A customer writes text. */
  sendText(from: string, text: string, more: Partial<WatiCustomerMessage> = {}) {
    return this.write({ from, text, ...more });
  }

  /**
   * A customer sends a file: kept under an address of this server and under the message's ids. `names` says what the
   * event tells of it.
   */
  sendMedia(
    from: string,
    media: {
      type: "image" | "audio" | "voice" | "video" | "document" | "sticker";
      bytes: Uint8Array;
      mimeType: string;
      extension: string;
      text?: string;
      names?: "url" | "path" | "nothing";
    },
    more: Partial<WatiCustomerMessage> = {},
  ) {
    const id = more.id ?? newWatiId();
    const wamid = more.wamid ?? newWamid();
    const path = `data/${media.type}s/${randomUUID()}.${media.extension}`;
    for (const key of [id, wamid, path]) this.#files.set(key, media);
    const url = `${this.url}/${this.tenant}/api/file/showFile?fileName=${path}`;
    const data = { url, path, nothing: null }[media.names ?? "url"];
    return this.write({
      from,
      type: media.type,
      text: media.text ?? null,
      data,
      ...more,
      id,
      wamid,
    });
  }

  /**
   * Posts a customer's message in each of its variants. Resolves with its ids and the answers, once each event was
   * answered 2xx or given up.
   */
  async write(
    message: WatiCustomerMessage,
  ): Promise<{ id: string; wamid: string; statuses: (number | null)[] }> {
    const whole = { ...message, id: message.id ?? newWatiId(), wamid: message.wamid ?? newWamid() };
    const statuses: (number | null)[] = [];
    for (const variant of this.variants) {
      const event = messageEvent(whole, variant, "17435002445", this.#clock.now());
      statuses.push(await this.post(event));
    }
    return { id: whole.id, wamid: whole.wamid, statuses };
  }

  /** Posts any body. */
  post(body: unknown): Promise<number | null> {
    return postEvent(this.webhook, body, this.#clock);
  }

  /** Waits until `count` sends (of `to`, in digits) were taken; rejects when time is up. */
  waitForSends(options: { to?: string; count?: number; timeoutMs?: number } = {}) {
    const to = options.to?.replace(/^\+/, "");
    return this.sends.waitFor({
      ...options,
      where: (send) => to === undefined || send.person === to,
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://simulator");
    const record: WatiRequest = {
      method: request.method ?? "",
      path: url.pathname,
      authorization: request.headers.authorization ?? null,
      status: null,
    };
    response.on("finish", () => (record.status = response.statusCode));
    const body = await readBody(request, 110 * 1024 * 1024);
    this.requests.add(record);
    if (body === null) return void response.destroy();
    const operation = operationOf(record.method, url.pathname, this.tenant);
    // As WATI: an unknown path, a tenant before version 3 included, is 404 without a body.
    if (operation === null) return void response.writeHead(404).end();
    if (record.authorization !== `Bearer ${this.token}`) return void response.writeHead(401).end();
    const effect = this.faults.strike(operation);
    if (effect?.kind === "hang") return;
    if (effect?.kind === "drop") return void response.destroy();
    if (effect?.kind === "http") {
      const { status, retryAfterSecs } = effect;
      const headers = retryAfterSecs === undefined ? {} : { "retry-after": String(retryAfterSecs) };
      if (effect.body === undefined) return void response.writeHead(status, headers).end();
      return answerJson(response, status, effect.body, headers);
    }
    if (operation === "probe") return answerJson(response, 200, { conversations: [], total: 0 });
    if (operation === "media") return this.#answerFile(url, response);
    if (operation === "history") return this.#answerHistory(url, response);
    await this.#take(operation, request, body, response, effect !== null);
  }

  /** What was sent to one person, the newest first; what customers wrote is left out. */
  #answerHistory(url: URL, response: ServerResponse): void {
    const target = decodeURIComponent(url.pathname.split("/").at(-2) ?? "");
    const size = Number(url.searchParams.get("page_size") ?? 10);
    const sent = this.received.filter((send) => send.target === target).toReversed();
    answerJson(response, 200, {
      message_list: sent.slice(0, size).map(sentItem),
      page_number: 1,
      page_size: size,
    });
  }

  #answerFile(url: URL, response: ServerResponse): void {
    const last = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
    const file = this.#files.get(url.searchParams.get("fileName") ?? last);
    if (!file) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": file.mimeType, "content-length": file.bytes.length });
    response.end(file.bytes);
  }

  async #take(
    operation: "text" | "file",
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    loseAnswer: boolean,
  ): Promise<void> {
    const now = this.#clock.now();
    let send: WatiSend;
    try {
      send =
        operation === "text"
          ? readText(parseJson(body), this.#channels)
          : await readFile(await formOf(request, body), this.#channels);
    } catch (error) {
      if (!(error instanceof WatiRefusal)) throw error;
      const { status, code, message } = error;
      return answerJson(response, status, {
        code,
        message,
        timestamp: new Date(now).toISOString(),
      });
    }
    const taken = this.sends.add({ ...send, id: newWatiId(), wamid: newWamid(), at: now });
    await this.beforeAnswer(taken);
    if (loseAnswer) response.destroy();
    else answerJson(response, 200, { message: { id: taken.id, type: send.kind, status: "sent" } });
    if (!this.#statuses) return;
    await this.post(sentEvent("sessionMessageSent_v2", taken, now));
    await this.post(sentEvent("sentMessageDELIVERED_v2", taken, now));
  }
}

/** A simulator, not started yet. */
export function createWatiSimulator(options: WatiSimulatorOptions = {}): WatiSimulator {
  return new WatiSimulator(options);
}

function operationOf(method: string, path: string, tenant: string): WatiOperation | null {
  const v3 = "/api/ext/v3/conversations";
  if (method === "POST" && path === `${v3}/messages/text`) return "text";
  if (method === "POST" && path === `${v3}/messages/file`) return "file";
  if (method === "GET" && path === v3) return "probe";
  if (method === "GET" && /^\/[^/]+\/messages$/.test(path.slice(v3.length))) return "history";
  if (method === "GET" && path.startsWith(`${v3}/messages/file/`)) return "media";
  return method === "GET" && path === `/${tenant}/api/file/showFile` ? "media" : null;
}

async function formOf(request: IncomingMessage, body: Buffer): Promise<FormData> {
  const headers = { "content-type": request.headers["content-type"] ?? "" };
  try {
    return await new Response(new Uint8Array(body), { headers }).formData();
  } catch {
    throw new WatiRefusal(400, "VALIDATION_ERROR", "The body is no multipart form.");
  }
}
