import * as v from "valibot";
import { shapeProblems } from "../../../src/net/shape-problem.ts";
import type { Content } from "./compose.ts";
import type { Fault } from "./faults.ts";
import type { Group } from "./groups.ts";
import type { Phone, SendOptions } from "./phone.ts";
import type { Received } from "./received.ts";
import * as requests from "./requests.ts";
import type { WhatsAppDouble } from "./server.ts";

/** A request that cannot be served, with the status that says why. */
class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

type Handler = (call: {
  part: (at: number) => string;
  body: unknown;
  query: URLSearchParams;
}) => unknown | Promise<unknown>;

/** The double's control API on loopback: JSON in, JSON out; routes are listed in README.md. */
export function startControl(double: WhatsAppDouble, port: number) {
  const routes = routesOf(double);
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0,
    async fetch(request) {
      const url = new URL(request.url);
      const parts = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
      const pattern = `${request.method} /${parts.map((part, at) => (at % 2 ? ":" : part)).join("/")}`;
      const handler = routes[pattern];
      if (!handler) return Response.json({ error: `no route ${pattern}` }, { status: 404 });
      try {
        const text = await request.text();
        const body: unknown = text === "" ? {} : JSON.parse(text);
        const part = (at: number) => parts[at] ?? "";
        const answer = await handler({ part, body, query: url.searchParams });
        return answer instanceof Response ? answer : Response.json(answer ?? { ok: true });
      } catch (error) {
        const status = error instanceof Refused ? error.status : 409;
        return Response.json({ error: String(error) }, { status });
      }
    },
  });
  return {
    port: server.port ?? 0,
    stop: async () => {
      await server.stop(true);
    },
  };
}

/** Routes by method and path; every second part of a path is a name. */
function routesOf(double: WhatsAppDouble): Record<string, Handler> {
  const phone = (number: string): Phone => {
    const found = double.phone(number);
    if (!found) throw new Refused(404, `there is no phone ${number}`);
    return found;
  };
  const group = (jid: string): Group => {
    const found = double.groups.get(jid);
    if (!found) throw new Refused(404, `there is no group ${jid}`);
    return found;
  };
  const chat = (to: string): Phone | Group => double.groups.get(to) ?? phone(to);
  return {
    "GET /state": () => stateOf(double),
    "GET /media-certificate": () => new Response(double.mediaCertificate),
    "POST /settings": ({ body }) => {
      const { minimumVersion, readReceipts } = parse(requests.Settings, body);
      if (minimumVersion !== undefined) double.minimumVersion = minimumVersion ?? undefined;
      if (readReceipts) double.readReceipts = readReceipts;
    },
    "POST /phones": ({ body }) => {
      const { requiresPasskey = false, ...options } = parse(requests.NewPhone, body);
      const made = double.addPhone(requests.given(options));
      made.requiresPasskey = requiresPasskey;
      return { number: made.number, jid: made.jid, lid: made.lid };
    },
    "GET /phones/:": ({ part }) => phoneState(phone(part(1))),
    "POST /phones/:/send": ({ part, body }) => {
      const { to, content, ...options } = parse(requests.Sending, body);
      const sendable = requests.given(content) as Content;
      return phone(part(1)).send(chat(to), sendable, requests.given(options) as SendOptions);
    },
    "GET /phones/:/inbox": async ({ part, query }) => {
      const { inbox } = phone(part(1));
      const count = Number(query.get("count") ?? 0);
      const timeout = Number(query.get("timeout") ?? 5_000);
      await inbox.waitForCount(count, undefined, timeout);
      return inbox.all.map(summary);
    },
    "GET /phones/:/inbox/:": async ({ part }) => {
      const message = messageOf(phone(part(1)), part(3));
      return new Response(new Uint8Array(await phone(part(1)).download(message)));
    },
    "POST /phones/:/read": ({ part, body }) => {
      const { id, type } = parse(requests.Read, body);
      phone(part(1)).markRead(messageOf(phone(part(1)), id), type);
    },
    "POST /phones/:/typing": ({ part, body }) => {
      const { to, state } = parse(requests.Typing, body);
      phone(part(1)).typing(phone(to), state);
    },
    "POST /groups": ({ body }) => {
      const { members, ...options } = parse(requests.NewGroup, body);
      const group = double.addGroup({ ...requests.given(options), members: members.map(phone) });
      return { jid: group.jid };
    },
    "POST /groups/:/add": ({ part, body }) => {
      double.changeGroup(group(part(1)), "add", phone(parse(requests.OfPhone, body).phone));
    },
    "POST /groups/:/remove": ({ part, body }) => {
      double.changeGroup(group(part(1)), "remove", phone(parse(requests.OfPhone, body).phone));
    },
    "POST /pair-by-qr": async ({ body }) => {
      const { phone: number, qr } = parse(requests.Scan, body);
      return { jid: (await phone(number).scanQr(qr)).jid };
    },
    "POST /pair-by-code": async ({ body }) => {
      const { phone: number, code, timeout } = parse(requests.Code, body);
      return { jid: (await phone(number).enterCode(code, timeout)).jid };
    },
    "POST /unlink": ({ body }) => {
      for (const companion of phone(parse(requests.OfPhone, body).phone).companions) {
        double.unlink(companion);
      }
    },
    "GET /faults": () => ({ waiting: double.faults.list(), struck: double.faults.struck.all }),
    "POST /faults": ({ body }) => {
      double.fault(requests.given(parse(requests.NewFault, body)) as Fault);
    },
    "DELETE /faults": () => double.faults.clear(),
    "POST /cut": () => double.cutAll(),
    "POST /deaf": () => void double.deaf(),
    "POST /stream-error": ({ body }) => {
      void double.streamError(parse(requests.StreamError, body).code);
    },
  };
}

function parse<T>(schema: v.GenericSchema<unknown, T>, body: unknown): T {
  const result = v.safeParse(schema, body);
  if (!result.success) throw new Refused(400, shapeProblems(result.issues));
  return result.output;
}

function messageOf(phone: Phone, id: string): Received {
  const message = phone.inbox.all.find((one) => one.id === id);
  if (!message) throw new Refused(404, `${phone.number} has received no message ${id}`);
  return message;
}

/** A received message without its protobuf. */
function summary({ content: _, ...message }: Received) {
  return message;
}

function phoneState(phone: Phone) {
  return {
    number: phone.number,
    jid: phone.jid,
    lid: phone.lid,
    received: phone.inbox.count,
    duplicates: phone.duplicates.all,
    undecryptable: phone.undecryptable.all,
    receipts: phone.receipts.all,
    chatStates: phone.chatStates.all,
    companions: phone.companions.map((companion) => ({
      jid: companion.jid,
      online: companion.connection?.live ?? false,
      presence: companion.presence,
      preKeys: companion.preKeys.length,
      waiting: companion.mailbox.ids(),
    })),
  };
}

function stateOf(double: WhatsAppDouble) {
  return {
    url: double.url,
    root: double.rootHex,
    phones: double.directory.accounts().map((account) => account.number),
    groups: [...double.groups.values()].map(({ jid, subject }) => ({ jid, subject })),
    links: double.links.made.all,
    logins: double.logins.count,
    registrations: double.registrations.count,
    refusals: double.refusals.all,
    connections: {
      open: double.connections.size,
      most: double.mostConnections,
      opened: double.opened,
    },
    clientMessages: double.clientMessages.all,
    clientReceipts: double.clientReceipts.count,
    clientAcks: double.clientAcks.all,
    retriesAsked: double.retriesAsked.all,
    pings: double.pings,
    unhandled: double.unhandled.count,
    errors: double.errors.all.map(String),
  };
}
