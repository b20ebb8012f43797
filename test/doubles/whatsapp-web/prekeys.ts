import { encodeBigEndian } from "@whiskeysockets/baileys";
import { type Directory, deviceOf } from "./account.ts";
import type { Companion, KeyBundle } from "./companion.ts";
import { KEY_TYPE, readPreKey, readSignedPreKey } from "./pairing.ts";
import {
  type BinaryNode,
  SERVER,
  attribute,
  child,
  children,
  integer,
  queryError,
  requiredBytes,
  result,
  stanza,
} from "./stanza.ts";

/** At this many pre-keys left the server asks for more. */
const LOW = 4;

/** Queries of the namespace `encrypt`: pre-keys up, bundles down. */
export function answerEncrypt(
  directory: Directory,
  self: Companion,
  query: BinaryNode,
): BinaryNode {
  const [request] = children(query);
  switch (request?.tag) {
    case "count":
      return result(query, [stanza("count", { value: self.preKeys.length })]);
    case "digest":
      return self.preKeys.length === 0
        ? queryError(query, 404, "item-not-found")
        : result(query, [stanza("digest", {}, digest(self))]);
    case "rotate":
      self.signedPreKey = readSignedPreKey(child(request, "skey"));
      self.rotations++;
      return result(query);
    case "key":
      return result(query, [
        stanza(
          "list",
          {},
          children(request, "user").map((user) => bundleFor(directory, attribute(user, "jid"))),
        ),
      ]);
    default:
      return store(self, query);
  }
}

function store(self: Companion, query: BinaryNode): BinaryNode {
  self.registrationId = integer(requiredBytes(query, "registration"));
  self.signedPreKey = readSignedPreKey(child(query, "skey"));
  const known = new Set(self.preKeys.map((key) => key.id));
  for (const key of children(child(query, "list"), "key").map(readPreKey)) {
    if (!known.has(key.id)) self.preKeys.push(key);
  }
  return result(query);
}

function digest(self: Companion): BinaryNode[] {
  return [
    stanza("registration", {}, encodeBigEndian(self.registrationId)),
    stanza("type", {}, KEY_TYPE),
    stanza("identity", {}, self.identity),
  ];
}

function bundleFor(directory: Directory, jid: string): BinaryNode {
  const account = directory.find(jid);
  const bundle =
    account?.devices.get(deviceOf(jid))?.signal.newBundle() ??
    account?.companions.get(deviceOf(jid))?.takeBundle();
  if (!bundle) return stanza("user", { jid }, [stanza("error", { code: 404, text: "no device" })]);
  return stanza("user", { jid }, bundleNodes(bundle));
}

/** A bundle as `<user>` and retry receipts carry it. */
export function bundleNodes(bundle: KeyBundle): BinaryNode[] {
  const { registrationId, identity, signedPreKey, preKey } = bundle;
  const nodes = [
    stanza("registration", {}, encodeBigEndian(registrationId)),
    stanza("type", {}, KEY_TYPE),
    stanza("identity", {}, identity),
    stanza("skey", {}, [
      stanza("id", {}, encodeBigEndian(signedPreKey.id, 3)),
      stanza("value", {}, signedPreKey.publicKey),
      stanza("signature", {}, signedPreKey.signature),
    ]),
  ];
  if (preKey) {
    nodes.push(
      stanza("key", {}, [
        stanza("id", {}, encodeBigEndian(preKey.id, 3)),
        stanza("value", {}, preKey.publicKey),
      ]),
    );
  }
  return nodes;
}

/** Hands a client's bundle to a phone and, when few keys remain, asks the client for more. */
export function takeBundle(companion: Companion): KeyBundle {
  const bundle = companion.takeBundle();
  if (companion.preKeys.length === LOW) {
    companion.deliver(
      stanza("notification", { from: SERVER, type: "encrypt", id: `low-${Date.now()}`, t: 0 }, [
        stanza("count", { value: companion.preKeys.length }),
      ]),
    );
  }
  return bundle;
}
