import type { Companion } from "./companion.ts";
import type { Connection } from "./connection.ts";
import { sendHistory } from "./history.ts";
import type { ClientFinish } from "./noise.ts";
import { registrationOf } from "./pairing.ts";
import type { WhatsAppDouble } from "./server.ts";
import { SERVER, now, stanza } from "./stanza.ts";

/** `<failure reason>` and what they mean to a client. */
const FAILURE = { loggedOut: 401, outdated: 405 } as const;

/** The handshake is done: the client either registers a new device or logs one in. */
export function admit(double: WhatsAppDouble, connection: Connection, finish: ClientFinish): void {
  if (outdated(finish, double.minimumVersion)) {
    double.refusals.add(FAILURE.outdated);
    return void connection.fail(FAILURE.outdated);
  }
  if (!finish.payload.username) {
    if (!registrationOf(finish)) throw new Error("neither a login nor a registration");
    double.registrations.add(now());
    return double.refs.offer(connection);
  }
  const companion = linked(double, finish);
  if (!companion) {
    double.refusals.add(FAILURE.loggedOut);
    return void connection.fail(FAILURE.loggedOut);
  }
  replace(companion, connection);
  connection.companion = companion;
  double.logins.add({ jid: companion.jid, passive: finish.payload.passive ?? false });
  const { lid } = companion;
  void connection.send(stanza("success", { t: now(), lid, location: "double", props: 1 }));
}

/** One connection a device: a second login ends the first as replaced. */
function replace(companion: Companion, connection: Connection): void {
  const old = companion.connection;
  companion.connection = connection;
  if (old && !old.closed) void old.streamError(440);
}

/** A device is known by number and device id, and proves itself by its static key. */
function linked(double: WhatsAppDouble, { payload, staticKey }: ClientFinish) {
  const account = double.directory.find(`${payload.username}@s.whatsapp.net`);
  const companion = account?.companions.get(payload.device ?? 0);
  return companion?.noiseKey.equals(staticKey) ? companion : undefined;
}

function outdated({ payload }: ClientFinish, minimum: number[] | undefined): boolean {
  if (!minimum) return false;
  const version = payload.userAgent?.appVersion;
  const parts = [version?.primary ?? 0, version?.secondary ?? 0, version?.tertiary ?? 0];
  for (const [index, least] of minimum.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

/** So many come before a client asks for more. */
const UNASKED = 5;

/** The next of what was kept; after the last, the word that this was all. */
export function giveOut(connection: Connection, most: number): void {
  const { backlog } = connection;
  if (!backlog) return;
  for (const node of backlog.nodes.splice(0, most)) void connection.send(node);
  if (backlog.nodes.length > 0) return;
  const offline = stanza("offline", { count: backlog.count });
  void connection.send(stanza("ib", { from: SERVER }, [offline]));
  connection.backlog = undefined;
  connection.live = true;
}

/** The client is ready: it gets what was kept for it, then the word that this was all. */
export function deliverBacklog(
  double: WhatsAppDouble,
  connection: Connection,
  companion: Companion,
): void {
  if (connection.live || connection.backlog) return;
  const backlog = companion.mailbox.backlog();
  const count = (tag: string) => backlog.filter((node) => node.tag === tag).length;
  if (backlog.length > 0) {
    const preview = {
      count: backlog.length,
      message: count("message"),
      receipt: count("receipt"),
      notification: count("notification"),
      appdata: 0,
    };
    void connection.send(stanza("ib", { from: SERVER }, [stanza("offline_preview", preview)]));
  }
  if (companion.mailbox.withholds) return void backlog.map((node) => connection.send(node));
  connection.backlog = { nodes: backlog, count: backlog.length };
  giveOut(connection, double.inBatches ? UNASKED : backlog.length);
  const phone = double.phoneOf(companion.account);
  if (phone && !companion.historySent) {
    companion.historySent = true;
    sendHistory(phone, companion).catch((error) => double.errors.add(error));
  }
}
