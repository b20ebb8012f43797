import type { Companion } from "./companion.ts";
import type { Connection } from "./connection.ts";
import { answerGroups } from "./groups.ts";
import { deliverBacklog } from "./login.ts";
import { answerEncrypt } from "./prekeys.ts";
import type { WhatsAppDouble } from "./server.ts";
import { type BinaryNode, child, children, result, stanza } from "./stanza.ts";
import { answerUsync } from "./usync.ts";

/** Answers one `<iq>` of a linked device, by namespace. */
export function answerQuery(
  double: WhatsAppDouble,
  connection: Connection,
  self: Companion,
  query: BinaryNode,
): void {
  const reply = (node: BinaryNode) => void connection.send(node);
  switch (query.attrs.xmlns) {
    case "w:p":
      double.pings++;
      return reply(result(query));
    case "encrypt":
      return reply(answerEncrypt(double.directory, self, query));
    case "usync":
      return reply(answerUsync(double.directory, query));
    case "w:g2":
      return reply(answerGroups(double.groups, self.account, query));
    case "passive":
      reply(result(query));
      if (child(query, "active")) deliverBacklog(double, connection, self);
      return;
    case "w:m":
      return reply(result(query, [mediaConnection(double.media.host)]));
    case "privacy":
      return reply(result(query, child(query, "privacy") ? [privacy(double)] : undefined));
    case "blocklist":
      return reply(result(query, [stanza("list", {}, [])]));
    case "abt": {
      const { hash } = child(query, "props")?.attrs ?? {};
      double.propsKnown.add(hash === "double");
      return reply(result(query, [stanza("props", { hash: "double" }, switches(double))]));
    }
    case "w:sync:app:state":
      return reply(result(query, [appState(query)]));
    case "md":
      if (child(query, "remove-companion-device")) {
        reply(result(query));
        return double.unlink(self);
      }
      return (double.unhandled.add(query), reply(result(query)));
    case "w:stats":
    case "urn:xmpp:whatsapp:dirty":
      return reply(result(query));
    default:
      double.unhandled.add(query);
      return reply(result(query));
  }
}

function switches({ salt }: WhatsAppDouble): BinaryNode[] {
  return [stanza("prop", { config_code: 24941, config_value: salt ? "true" : "false" })];
}

function mediaConnection(host: string): BinaryNode {
  return stanza("media_conn", { auth: "double", ttl: 3600, max_buckets: 12 }, [
    stanza("host", { hostname: host, maxContentLengthBytes: 100 << 20 }),
  ]);
}

function privacy(double: WhatsAppDouble): BinaryNode {
  const settings = {
    readreceipts: double.readReceipts,
    last: "all",
    online: "all",
    profile: "all",
  };
  const categories = Object.entries(settings).map(([name, value]) =>
    stanza("category", { name, value }),
  );
  return stanza("privacy", {}, categories);
}

/** No collection holds anything. */
function appState(query: BinaryNode): BinaryNode {
  const collections = children(child(query, "sync"), "collection").map(({ attrs }) =>
    stanza("collection", { name: attrs.name, version: attrs.version ?? 0 }),
  );
  return stanza("sync", {}, collections);
}
