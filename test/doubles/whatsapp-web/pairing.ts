import {
  Curve,
  KEY_BUNDLE_TYPE,
  WA_ADV_ACCOUNT_SIG_PREFIX,
  WA_ADV_DEVICE_SIG_PREFIX,
  hmacSign,
  proto,
} from "@whiskeysockets/baileys";
import type { Account } from "./account.ts";
import { Companion } from "./companion.ts";
import type { Connection } from "./connection.ts";
import type { ClientFinish } from "./noise.ts";
import {
  type BinaryNode,
  SERVER,
  child,
  contentBytes,
  integer,
  now,
  requiredBytes,
  stanza,
} from "./stanza.ts";
import { verifies } from "./verify.ts";

/** A device that was offered to an account and has not yet signed. */
export interface PendingLink {
  id: string;
  account: Account;
  device: number;
  details: Uint8Array;
  accountKey: Uint8Array;
  keyIndex: number;
}

/** The keys a client registers with. */
interface Registration {
  registrationId: number;
  identity: Buffer;
  signedPreKey: { id: number; publicKey: Buffer; signature: Buffer };
}

export function registrationOf(finish: ClientFinish): Registration | undefined {
  const data = finish.payload.devicePairingData;
  if (!data?.eIdent || !data.eRegid || !data.eSkeyId || !data.eSkeyVal || !data.eSkeySig) return;
  return {
    registrationId: integer(data.eRegid),
    identity: Buffer.from(data.eIdent),
    signedPreKey: {
      id: integer(data.eSkeyId),
      publicKey: Buffer.from(data.eSkeyVal),
      signature: Buffer.from(data.eSkeySig),
    },
  };
}

/**
 * Sends pair-success: the primary device vouches for the companion's identity key (account signature),
 * and for itself with the secret that only the QR or the code could have told it (HMAC).
 */
export function offerLink(
  connection: Connection,
  account: Account,
  identity: Uint8Array,
  advSecret: Uint8Array,
): PendingLink {
  const primary = account.devices.get(0)?.signal.identity;
  if (!primary) throw new Error(`${account.number} has no phone`);
  const device = account.newDeviceId();
  const keyIndex = device;
  const details = proto.ADVDeviceIdentity.encode({
    rawId: 1,
    timestamp: now(),
    keyIndex,
    accountType: proto.ADVEncryptionType.E2EE,
    deviceType: proto.ADVEncryptionType.E2EE,
  }).finish();
  const accountSignature = Curve.sign(
    primary.private,
    Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, identity]),
  );
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: primary.public,
    accountSignature,
  }).finish();
  const sealed = proto.ADVSignedDeviceIdentityHMAC.encode({
    details: signed,
    hmac: hmacSign(signed, advSecret),
  }).finish();
  const id = `pair-${account.number}-${device}`;
  void connection.send(
    stanza("iq", { from: SERVER, type: "set", id, t: now() }, [
      stanza("pair-success", {}, [
        stanza("device-identity", {}, sealed),
        stanza("device", { jid: account.jid(device), lid: account.lidJid(device) }),
        stanza("platform", { name: "android" }),
      ]),
    ]),
  );
  return { id, account, device, details, accountKey: primary.public, keyIndex };
}

/** The client's answer to pair-success: its device signature makes the link. */
export function completeLink(
  connection: Connection,
  link: PendingLink,
  answer: BinaryNode,
): Companion {
  const registration = connection.finish && registrationOf(connection.finish);
  if (!connection.finish || !registration) throw new Error("the client never registered its keys");
  const identityNode = child(child(answer, "pair-device-sign"), "device-identity");
  if (!identityNode) throw new Error("pair-device-sign lacks the device identity");
  const { deviceSignature, details } = proto.ADVSignedDeviceIdentity.decode(
    contentBytes(identityNode),
  );
  const signed = Buffer.concat([
    WA_ADV_DEVICE_SIG_PREFIX,
    link.details,
    registration.identity,
    link.accountKey,
  ]);
  if (!details || !Buffer.from(details).equals(link.details) || !deviceSignature) {
    throw new Error("pair-device-sign carries another identity");
  }
  if (!verifies(registration.identity, signed, deviceSignature)) {
    throw new Error("the device signature does not verify");
  }
  const companion = new Companion(
    link.account,
    link.device,
    connection.finish.staticKey,
    registration.registrationId,
    registration.identity,
    registration.signedPreKey,
  );
  link.account.companions.set(link.device, companion);
  return companion;
}

/** Reads `<skey>` or `<key>`. */
export function readPreKey(node: BinaryNode | undefined): { id: number; publicKey: Buffer } {
  return { id: integer(requiredBytes(node, "id")), publicKey: requiredBytes(node, "value") };
}

export function readSignedPreKey(node: BinaryNode | undefined) {
  return { ...readPreKey(node), signature: requiredBytes(node, "signature") };
}

export const KEY_TYPE = Buffer.from(KEY_BUNDLE_TYPE);
