import type { IncomingMessage, ServerResponse } from "node:http";
import * as v from "valibot";
import { shapeProblems } from "../../net/shape-problem.ts";
import type { GraphSimulator } from "../graph.ts";
import { answerJson, parseJson, readBody } from "./exchange.ts";
import {
  faultSchema,
  messagesSchema,
  settingsSchema,
  type SettingsChange,
} from "./control-schema.ts";

/**
 * The simulator's own API, JSON over HTTP on loopback:
 * - `POST /_sim/messages` a message, an array (one webhook each), or `{ "batch": […] }` (one webhook) → `{ ids }`
 * - `POST /_sim/webhook` any body, sent as it is → its `WebhookRecord`, once accepted or given up
 * - `POST /_sim/media` bytes with their `content-type` → what a content needs to name the file
 * - `GET /_sim/records/{sends|reads|uploads|downloads|requests|webhooks}?from=INDEX` → `{ total, entries }`; with
 *   `count=N&timeout_ms=M` it waits for N entries (`to=RECIPIENT`: messages that reached Meta for it)
 * - `DELETE /_sim/records` forgets them
 * - `POST /_sim/faults` a rule → `{ id }`; `DELETE /_sim/faults[/ID]`
 * - `PATCH /_sim/settings` `{ webhooks, statuses, limits, enforceWindow, account }`, each in part
 * - `POST /_sim/handshake` → `{ status, body, verified }`
 * - `POST /_sim/idle?timeout_ms=M` answers when no webhook is left to send
 * - `GET /_sim/state` → `{ pending, sends, webhooks }`
 * Errors are `{ "error": "…" }`: 400 for a bad body, 404, 408 when a wait is over.
 */
export async function controlRoute(
  simulator: GraphSimulator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://simulator");
  const body = await readBody(request, 110 * 1024 * 1024);
  if (body === null) return void response.destroy();
  try {
    const contentType = request.headers["content-type"] ?? "";
    const result = await act(simulator, request.method ?? "GET", url, body, contentType);
    answerJson(response, 200, result);
  } catch (error) {
    const status = error instanceof ControlRefusal ? error.status : 500;
    answerJson(response, status, { error: error instanceof Error ? error.message : String(error) });
  }
}

class ControlRefusal extends Error {
  constructor(
    readonly status: 400 | 404 | 408,
    message: string,
  ) {
    super(message);
  }
}

async function act(
  simulator: GraphSimulator,
  method: string,
  url: URL,
  body: Buffer,
  contentType: string,
): Promise<unknown> {
  const [, , noun = "", which] = url.pathname.split("/");
  const timeoutMs = Number(url.searchParams.get("timeout_ms") ?? 5000);
  switch (`${method} ${noun}`) {
    case "POST messages": {
      const messages = parse(messagesSchema, body);
      if ("batch" in messages) return { ids: simulator.writeBatch(messages.batch) };
      return { ids: messages.each.map((message) => simulator.write(message)) };
    }
    case "POST webhook":
      return simulator.deliver(new Uint8Array(body));
    case "POST media":
      return simulator.file(new Uint8Array(body), contentType || "application/octet-stream");
    case "GET records":
      return readRecords(simulator, which ?? "", url.searchParams, timeoutMs);
    case "DELETE records":
      simulator.records.clear();
      return {};
    case "POST faults":
      return { id: simulator.faults.add(parse(faultSchema, body)) };
    case "DELETE faults":
      if (which === undefined) simulator.faults.clear();
      else if (!simulator.faults.remove(Number(which)))
        throw new ControlRefusal(404, "no such fault");
      return {};
    case "PATCH settings":
      applySettings(simulator, parse(settingsSchema, body));
      return simulator.settings;
    case "POST handshake":
      return simulator.handshake();
    case "POST idle":
      return orTimeout(simulator.idle(timeoutMs).then(() => ({})));
    case "GET state":
      return {
        pending: simulator.pending,
        sends: simulator.records.sends.entries.length,
        webhooks: simulator.records.webhooks.entries.length,
      };
    default:
      throw new ControlRefusal(404, `no ${method} ${url.pathname}`);
  }
}

interface Waitable {
  entries: readonly unknown[];
  waitFor(options: { count: number; timeoutMs: number }): Promise<unknown[]>;
}

async function readRecords(
  simulator: GraphSimulator,
  which: string,
  query: URLSearchParams,
  timeoutMs: number,
): Promise<unknown> {
  const count = query.get("count");
  const to = query.get("to");
  const { records } = simulator;
  if (which === "sends" && (count !== null || to !== null)) {
    if (count === null) return page(records.sentTo(to ?? ""), query);
    const options = { count: Number(count), timeoutMs, ...(to === null ? {} : { to }) };
    return page(await orTimeout(simulator.waitForSends(options)), query);
  }
  const journals = {
    sends: records.sends,
    reads: records.reads,
    uploads: records.uploads,
    downloads: records.downloads,
    requests: records.requests,
    webhooks: records.webhooks,
  };
  const journal: Waitable | undefined = Object.entries(journals).find(
    ([name]) => name === which,
  )?.[1];
  if (!journal) throw new ControlRefusal(404, `no records named ${which}`);
  if (count === null) return page(journal.entries, query);
  return page(await orTimeout(journal.waitFor({ count: Number(count), timeoutMs })), query);
}

function page(entries: readonly unknown[], query: URLSearchParams): unknown {
  const from = Number(query.get("from") ?? 0);
  return { total: entries.length, entries: entries.slice(from) };
}

function applySettings(simulator: GraphSimulator, change: SettingsChange): void {
  const { settings } = simulator;
  Object.assign(settings.webhooks, change.webhooks);
  Object.assign(settings.statuses, change.statuses);
  Object.assign(simulator.account, change.account);
  if (change.account?.appSecret !== undefined) {
    settings.webhooks.appSecret = change.webhooks?.appSecret ?? change.account.appSecret;
  }
  if (change.limits) simulator.limit(change.limits);
  if (change.enforceWindow !== undefined) settings.enforceWindow = change.enforceWindow;
}

function parse<T>(schema: v.GenericSchema<unknown, T>, body: Buffer): T {
  const result = v.safeParse(schema, parseJson(body));
  if (!result.success) throw new ControlRefusal(400, shapeProblems(result.issues));
  return result.output;
}

function orTimeout<T>(waiting: Promise<T>): Promise<T> {
  return waiting.catch((error: unknown) => {
    throw new ControlRefusal(408, error instanceof Error ? error.message : String(error));
  });
}
