import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Curve,
  type SignalRepositoryWithLIDStore,
  generateSignalPubKey,
} from "@whiskeysockets/baileys";
import { decryptCarefully } from "../../../src/channels/whatsapp-web/careful-decryption.ts";
import { silenceLibsignal } from "../../../src/channels/whatsapp-web/quiet-console.ts";
import { learntPairs } from "../../../src/channels/whatsapp-web/identity.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { checkSignatures } from "../../../src/channels/whatsapp-web/signature.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { baileysLog } from "../../../src/channels/whatsapp-web/baileys-log.ts";
import { fakeClock } from "../../support/clock.ts";

type LookUp = (jids: string[]) => Promise<{ pn: string; lid: string }[] | undefined>;

/** A device with a session file of its own, its ratchets, and no connection. */
export function device(number: string, lookUp: LookUp = async () => []) {
  decryptCarefully();
  checkSignatures();
  silenceLibsignal();
  const folder = mkdtempSync(join(tmpdir(), "revka-ratchet-"));
  const clock = fakeClock();
  const received: string[] = [];
  const learnt: ReturnType<typeof learntPairs> = [];
  const open = () => {
    const opened = Session.open({ path: join(folder, "s.db"), env: {} }, clock, {
      onReceived: () => void received.push("one"),
      onMappings: (stored) => void learnt.push(...learntPairs(stored)),
    });
    opened.creds.me = { id: `${number}:1@s.whatsapp.net` };
    return opened;
  };
  const refuse = (): never => {
    throw new Error("Baileys' own transactions are still in place");
  };
  const keys = { get: refuse, set: refuse, transaction: refuse, isInTransaction: refuse };
  const make = (opened: Session): SignalRepositoryWithLIDStore =>
    opened.repository.make(
      { creds: opened.creds, keys: { ...keys } },
      baileysLog(silentLog),
      lookUp,
    );
  let session = open();
  let repository = make(session);
  return {
    ...{ clock, received, learnt },
    get session() {
      return session;
    },
    get repository() {
      return repository;
    },
    restart() {
      session.close();
      session = open();
      repository = make(session);
    },
    jid: `${number}@s.whatsapp.net`,
    /** What the server gives to those who want to write to this device. */
    bundle() {
      const { signedIdentityKey, signedPreKey, registrationId } = session.creds;
      return {
        registrationId,
        identityKey: generateSignalPubKey(signedIdentityKey.public),
        signedPreKey: {
          keyId: signedPreKey.keyId,
          publicKey: generateSignalPubKey(signedPreKey.keyPair.public),
          signature: signedPreKey.signature,
        },
        preKey: { keyId: 1, publicKey: generateSignalPubKey(oneTime.public) },
      };
    },
    async stockUp() {
      await session.transactions.set({ "pre-key": { "1": oneTime } });
    },
    stop() {
      session.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const oneTime = Curve.generateKeyPair();
export type Device = ReturnType<typeof device>;
