import { randomBytes } from "node:crypto";
import type { Connection } from "./connection.ts";
import { SERVER, now, stanza } from "./stanza.ts";

/**
 * What a server sends instead of pair-success when the account may link only with a passkey:
 * `passkey_prologue_request` with WebAuthn options as JSON. The connection then stays open and silent
 * until the client answers; Baileys rc14 cannot, and says nothing of it.
 *
 * The names are those public reports and other clients agree on (Baileys #2672, whatsmeow's
 * pair-passkey.go). ASSUMPTION: the members of the options beyond `challenge`, `rpId` and
 * `userVerification`.
 */
export function demandPasskey(connection: Connection): void {
  const options = {
    challenge: randomBytes(32).toString("base64url"),
    rpId: "whatsapp.com",
    timeout: 60_000,
    userVerification: "required",
    allowCredentials: [],
  };
  const id = `passkey-${randomBytes(4).toString("hex")}`;
  void connection.send(
    stanza("notification", { from: SERVER, type: "passkey_prologue_request", id, t: now() }, [
      stanza("passkey_request_options", {}, Buffer.from(JSON.stringify(options))),
    ]),
  );
}
