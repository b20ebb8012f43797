import { proxyAddressProblem, secureAddressProblem } from "../addresses.ts";
import { canonicalPhone, parseAllowedEntry, parseTarget, type Target } from "../numbers.ts";
import type { KeyPath } from "../problems.ts";
import type { WatiConfig, WhatsAppConfig } from "../schema.ts";
import type { RuleContext } from "./report.ts";

const table = ["channels_config", "whatsapp"];

export function checkWhatsApp(context: RuleContext): void {
  const whatsapp = context.config.channels_config.whatsapp;
  if (whatsapp === undefined) return;
  const { error } = context;
  checkAllowedNumbers(table, whatsapp, whatsapp.phone_number_id === undefined, context);
  checkAddress("api_base_url", whatsapp.api_base_url, "https", context);
  if (whatsapp.ws_url !== undefined) checkAddress("ws_url", whatsapp.ws_url, "wss", context);
  checkChannelProxy(table, whatsapp.proxy_url, context);
  if (whatsapp.phone_number_id !== undefined) {
    if (!/^[A-Za-z0-9_-]+$/.test(whatsapp.phone_number_id)) {
      error(
        [...table, "phone_number_id"],
        "expected the digits that Meta shows as phone number ID",
      );
    }
    for (const key of ["access_token", "verify_token"] as const) {
      if (whatsapp[key] === undefined) {
        error([...table, key], "missing; Cloud API mode (phone_number_id is set) needs it");
      }
    }
  }
  checkPairing(whatsapp, context);
  warnOfUnusedPolicies(whatsapp, context);
  const cloud = whatsapp.phone_number_id !== undefined;
  if (cloud) warnOfNoTyping(context);
  if (cloud || whatsapp.session_path !== undefined) {
    checkTarget(table, whatsapp.notification_target, cloud ? "cloud" : "web", context);
  }
}

/** Meta's one call marks a message read and shows typing. */
function warnOfNoTyping({ config: { channels_config }, warn }: RuleContext): void {
  if (channels_config.read_receipts || !channels_config.typing) return;
  warn(
    ["channels_config", "read_receipts"],
    "false, so the Cloud API shows no typing either; set typing = false as well, or read_receipts = true",
  );
}

const reached: Record<"cloud" | "web" | "wati", { kinds: Target["kind"][]; words: string }> = {
  cloud: { kinds: ["phone", "user", "group"], words: ", a BSUID or group:ID" },
  web: { kinds: ["phone", "lid", "group", "self"], words: ", a …@lid, a …@g.us or self" },
  wati: { kinds: ["phone", "user"], words: " or a BSUID" },
};

function checkTarget(
  path: KeyPath,
  target: string | undefined,
  backend: keyof typeof reached,
  { warn }: RuleContext,
): void {
  if (target === undefined) return;
  const named = parseTarget(target);
  const { kinds, words } = reached[backend];
  const foreignGroup = backend === "cloud" && named?.id?.endsWith("@g.us");
  if (named && kinds.includes(named.kind) && !foreignGroup) return;
  warn(
    [...path, "notification_target"],
    `names nobody whom this channel reaches: expected a number in international form${words}`,
  );
}

function checkAddress(
  key: "api_base_url" | "ws_url",
  address: string,
  scheme: "https" | "wss",
  { error }: RuleContext,
): void {
  const problem = secureAddressProblem(address, scheme);
  if (problem) error([...table, key], problem);
}

function checkPairing({ pair_code, pair_phone }: WhatsAppConfig, context: RuleContext): void {
  const code = pair_code.replaceAll("-", "");
  if (code !== "" && !/^[A-Za-z0-9]{8}$/.test(code)) {
    context.error([...table, "pair_code"], 'expected 8 letters or digits, or "" to have one made');
  }
  if (/[0IOU]/i.test(code)) {
    const message = "WhatsApp takes no 0, I, O and U in a code; one is made instead";
    context.warn([...table, "pair_code"], message);
  }
  if (pair_phone === undefined) {
    if (code !== "") context.warn([...table, "pair_code"], "has no effect without pair_phone");
  } else if (canonicalPhone(pair_phone) === null) {
    const message = "expected country code and number, digits only, such as 15551234567";
    context.error([...table, "pair_phone"], message);
  }
}

function warnOfUnusedPolicies({ mode }: WhatsAppConfig, { given, warn }: RuleContext): void {
  if (mode === "personal") return;
  for (const key of ["dm_policy", "group_policy", "self_chat_mode"]) {
    const path = [...table, key];
    if (given(path)) warn(path, 'has no effect unless mode = "personal"');
  }
}

export function checkWati(context: RuleContext): void {
  const wati = context.config.channels_config.wati;
  if (wati === undefined) return;
  const path = ["channels_config", "wati"];
  checkAllowedNumbers(path, wati, false, context);
  checkTarget(path, wati.notification_target, "wati", context);
  checkChannelProxy(path, wati.proxy_url, context);
  if (wati.api_token === undefined) context.error([...path, "api_token"], "missing; WATI needs it");
  const problem = secureAddressProblem(wati.api_url, "https");
  if (problem) context.error([...path, "api_url"], problem);
}

function checkAllowedNumbers(
  path: KeyPath,
  { allowed_numbers }: WatiConfig | WhatsAppConfig,
  web: boolean,
  { warn }: RuleContext,
): void {
  for (const [index, entry] of allowed_numbers.entries()) {
    const { kind } = parseAllowedEntry(entry);
    if (kind !== "invalid" && !(web && kind === "user")) continue;
    // No number as an example: the log would mask it.
    const expected = `expected a number in international form${web ? "" : ", a BSUID"} or "*"`;
    warn([...path, "allowed_numbers", index], `${expected}; the entry is ignored`);
  }
}

function checkChannelProxy(path: KeyPath, url: string | undefined, { error }: RuleContext): void {
  const problem = url === undefined ? null : proxyAddressProblem(url);
  if (problem) error([...path, "proxy_url"], problem);
}
