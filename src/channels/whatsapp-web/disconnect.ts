/** What is known when a connection ends. */
export interface Ending {
  /** Status code of Baileys, WhatsApp's stream error or login failure, or one of ours. */
  code: number;
  /** Whether this device was linked, and its link confirmed by a login, before the connection ended. */
  linked: boolean;
  /** The account asked for a passkey during the link. */
  passkey: boolean;
  /** Why the proxy on the way let nothing through; null where it did, or there is none. */
  proxyFailure: string | null;
  /** Seconds that WhatsApp wants us to stay away (402). */
  expireSecs: number | null;
}

export type Verdict =
  /** Connect again at once: WhatsApp asked for it. */
  | { next: "now" }
  /** Connect again after the back-off, or after `afterMs` where that is longer. */
  | { next: "backoff"; reason: string; afterMs: number; newVersion: boolean }
  /** Forget a link that WhatsApp does not know, and register again after the back-off. */
  | { next: "register"; reason: string }
  /** The device was removed: move the session aside, wait for a person. */
  | { next: "logged_out"; reason: string }
  /** Nothing reconnects by itself. */
  | { next: "stop"; reason: string };

/** Ours: no frame, no pong, or no login within the time allowed. */
export const TIMED_OUT = 408;
/** Ours: every code that WhatsApp gives one connection was shown, and no phone took any. */
export const UNTAKEN = 498;
/** Ours: the server's certificate is not signed by WhatsApp's root key, or for the key of another server. */
export const UNTRUSTED = 495;
/** Ours: the session cannot be written, so nothing may be acknowledged or sent. */
export const UNWRITABLE = 507;
/** Ours: the inside did not note whom this account speaks as, so what waits may be for another. */
export const UNTOLD = 509;
/** Ours: no connection to WhatsApp's address, or to the proxy on the way, came about. */
export const UNREACHABLE = 523;

export const PASSKEY_ADVICE =
  "WhatsApp demands a passkey before this account can link a device, which Revka cannot pass yet. On the phone: Settings, Account, Passkeys, remove the passkey, then `revka relink`; or use the Cloud API for this number";

/**
 * What the end of a connection means. Codes: Baileys `lib/Types/index.js` (DisconnectReason) and whatsmeow
 * `types/events/events.go` (ConnectFailureReason). Pure.
 */
export function judge({ code, linked, passkey, proxyFailure, expireSecs }: Ending): Verdict {
  if (proxyFailure !== null) return again(proxyFailure);
  if (!linked && passkey) return { next: "stop", reason: PASSKEY_ADVICE };
  switch (code) {
    case 515:
      return { next: "now" };
    case 401:
      // A link is made by both sides, and a crash may come between them: a refused first login is no logout.
      return linked
        ? {
            next: "logged_out",
            reason:
              "the phone logged this device out; the session was kept beside its place. Link again with `revka relink`",
          }
        : {
            next: "register",
            reason: "the link was not finished, so WhatsApp does not know it: link once more",
          };
    case 402:
      return again("WhatsApp has banned this account for a while", (expireSecs ?? 3600) * 1000);
    case 403:
    case 406:
      return {
        next: "stop",
        reason: `WhatsApp refuses this account or its phone is logged out (${code}): look at the phone, then restart, or \`revka relink\``,
      };
    case 405:
    case 409:
      return again(
        `WhatsApp refuses this client version (${code}); asking for the current one`,
        0,
        true,
      );
    case 411:
      return {
        next: "stop",
        reason: "the phone's WhatsApp is too old for linked devices (411): update it, then restart",
      };
    case 440:
      return {
        next: "stop",
        reason:
          "replaced: another client uses this session (440). Stop it, then restart; two clients would push each other out",
      };
    case TIMED_OUT:
      return again("no answer from WhatsApp in time");
    case UNTAKEN:
      return again("no phone took a code in time; a new one follows");
    case UNREACHABLE:
      return again("WhatsApp cannot be reached: check network, DNS, firewall and proxy_url");
    case UNWRITABLE:
      return again(
        "the WhatsApp session cannot be written: look at the disk under session_path, its free space and the file's mode",
      );
    case UNTOLD:
      return again(
        "the store does not take anything, and what waits must not go out from another number than it was for: look at the store's disk",
      );
    case UNTRUSTED:
      return again(
        "the server did not prove that it is WhatsApp: its certificate is not signed by WhatsApp's key, or is that of another server, so something on the way may be reading along; nothing was sent to it",
      );
    case 428:
      return again("the connection to WhatsApp was lost");
    case 429:
      return again("WhatsApp asks for fewer connections (429)", 60_000);
    case 463:
      return linked
        ? again("WhatsApp refused the login (463)")
        : { next: "stop", reason: PASSKEY_ADVICE };
    case 503:
      return again("WhatsApp is not available at the moment (503)");
    default:
      return again(`the connection to WhatsApp ended (${code})`);
  }
}

function again(reason: string, afterMs = 0, newVersion = false): Verdict {
  return { next: "backoff", reason, afterMs, newVersion };
}

const FIRST_PAUSE_MS = 3_000;
const LONGEST_PAUSE_MS = 300_000;

/** 3 s doubling to 300 s, up to a fifth less so that many clients do not come back at once. `random` is in [0, 1). */
export function pauseBefore(attempt: number, random: number): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10), LONGEST_PAUSE_MS);
  return Math.round(pause * (1 - random / 5));
}
