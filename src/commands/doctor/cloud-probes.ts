import { createHmac } from "node:crypto";
import * as v from "valibot";
import { createGraph, type Graph, type GraphAnswer } from "../../channels/whatsapp-cloud/graph.ts";
import { graphVersionNotice } from "../../config/graph-versions.ts";
import type { WhatsAppConfig } from "../../config/schema.ts";
import { selectBackend } from "../../config/select.ts";
import { jsonObject, number } from "../../net/json-object.ts";
import { error, info, ok, warning, type Examination, type Probe, type Verdict } from "./probe.ts";

const day = 86_400_000;
const needed = "whatsapp_business_messaging";
const management = "whatsapp_business_management";

export const cloudProbes: Probe[] = [
  cloudProbe("version", ({ config, examination }) => {
    const notice = graphVersionNotice(config.graph_api_version, examination.clock.now());
    return [
      notice
        ? warning("version", notice, "change graph_api_version, then restart the daemon")
        : ok("version", `Graph API ${config.graph_api_version} is current`),
    ];
  }),
  cloudProbe("number", numberVerdicts),
  cloudProbe("token", tokenVerdicts),
  cloudProbe("app secret", appSecretVerdicts),
];

interface Cloud {
  config: WhatsAppConfig;
  examination: Examination;
  graph: Graph;
  signal: AbortSignal;
}

function cloudProbe(name: string, run: (cloud: Cloud) => Promise<Verdict[]> | Verdict[]): Probe {
  return {
    group: "cloud",
    name,
    run(examination, signal) {
      const config = examination.loaded.config.channels_config.whatsapp;
      const selection = selectBackend(config, { whatsappWeb: true });
      if (!config || selection.kind !== "run" || selection.backend !== "cloud") return [];
      const graph = createGraph({
        baseUrl: config.api_base_url,
        version: config.graph_api_version,
        accessToken: config.access_token ?? "",
        fetch: examination.network.fetchFor("channel.whatsapp"),
        clock: examination.clock,
      });
      return run({ config, examination, graph, signal });
    },
  };
}

const numberAnswer = jsonObject({
  display_phone_number: v.optional(v.string()),
  verified_name: v.optional(v.string()),
  quality_rating: v.optional(v.string()),
});

/** GET /{phone_number_id}: token, id and permission fit together (D/business-phone-numbers). */
async function numberVerdicts({ config, graph, signal, examination }: Cloud): Promise<Verdict[]> {
  let skew: Verdict | null = null;
  const watched = createGraph({
    ...graph.options,
    fetch: async (url, init) => {
      const response = await graph.options.fetch(url, init);
      skew = skewVerdict(response.headers.get("date"), examination.clock.now());
      return response;
    },
  });
  const answer = await watched.call({
    method: "GET",
    path: `${encodeURIComponent(config.phone_number_id ?? "")}?fields=display_phone_number,verified_name,quality_rating`,
    answer: numberAnswer,
    signal,
  });
  const verdicts = answer.ok ? numberFindings(answer.value) : [refused("number", answer, graph)];
  return skew ? [...verdicts, skew] : verdicts;
}

function numberFindings(number: v.InferOutput<typeof numberAnswer>): Verdict[] {
  if (number.display_phone_number === undefined) {
    return [
      error(
        "number",
        "what answers names no number, as Meta does",
        "check api_base_url and proxy_url",
      ),
    ];
  }
  const name = number.verified_name ? ` (${number.verified_name})` : "";
  const verdicts = [ok("number", `Meta knows the number ${number.display_phone_number}${name}`)];
  if (number.quality_rating === "RED" || number.quality_rating === "YELLOW") {
    verdicts.push(
      warning(
        "quality",
        `Meta rates the number ${number.quality_rating.toLowerCase()}`,
        "people block or report it: see WhatsApp Manager",
      ),
    );
  }
  return verdicts;
}

/** Meta's Date header against this machine's clock; two minutes are as exact as a person needs. */
export function skewVerdict(date: string | null, now: number): Verdict | null {
  const theirs = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return null;
  const seconds = Math.round(Math.abs(now - theirs) / 1000);
  return seconds > 120
    ? warning("clock", `this machine's clock is ${seconds} s off Meta's`, "switch on time sync")
    : null;
}

const tokenAnswer = v.object({
  data: v.object({
    is_valid: v.boolean(),
    expires_at: v.optional(number),
    scopes: v.fallback(v.nullable(v.array(v.string())), null),
    granular_scopes: v.fallback(
      v.array(v.object({ scope: v.string(), target_ids: v.optional(v.array(v.string())) })),
      [],
    ),
  }),
});

/** GET /debug_token: validity, expiry, scopes (G/reference/v26.0/debug_token), then who is subscribed. */
async function tokenVerdicts({ config, graph, signal, examination }: Cloud): Promise<Verdict[]> {
  const answer = await graph.call({
    method: "GET",
    path: `debug_token?input_token=${encodeURIComponent(config.access_token ?? "")}`,
    answer: tokenAnswer,
    signal,
  });
  if (!answer.ok) {
    // No answer at all is what the number's probe reports.
    if (answer.status === null) return [];
    // Meta lets only people of the app look at a token; that it works is what the number shows.
    return answer.failure.code === "190"
      ? [refused("token", answer, graph)]
      : [info("token", "Meta does not say when it expires or what it may do")];
  }
  const { is_valid, expires_at, scopes, granular_scopes } = answer.value.data;
  if (!is_valid) {
    return [error("token", "Meta calls the access token invalid", "create a new one")];
  }
  const verdicts = [expiryVerdict(expires_at ?? 0, examination.clock.now())];
  // Where none are told, none are known to lack.
  if (scopes && !scopes.includes(needed)) {
    verdicts.push(
      error("permission", `the access token lacks ${needed}`, "add it to the token's system user"),
    );
  }
  const accounts = granular_scopes.find(({ scope }) => scope === management)?.target_ids ?? [];
  return [...verdicts, ...(await subscriptionVerdicts(accounts, graph, signal))];
}

/** `expiresAt` in Unix seconds, 0 for never. */
export function expiryVerdict(expiresAt: number, now: number): Verdict {
  if (expiresAt === 0) return ok("token", "the access token is valid and does not expire");
  const left = expiresAt * 1000 - now;
  const date = new Date(expiresAt * 1000).toISOString().slice(0, 10);
  const advice = "make a token of a system user, which does not expire";
  if (left < 0) return error("token", `the access token expired on ${date}`, advice);
  return left < 14 * day
    ? warning("token", `the access token expires on ${date}`, advice)
    : info("token", `the access token expires on ${date}`, advice);
}

const subscriptions = v.object({ data: v.array(v.unknown()) });

/** GET /{waba}/subscribed_apps: without a subscription Meta sends no webhook (D/webhooks). */
async function subscriptionVerdicts(
  accounts: readonly string[],
  graph: Graph,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const name = "subscription";
  const verdicts: Verdict[] = [];
  for (const account of accounts.slice(0, 5)) {
    const answer = await graph.call({
      method: "GET",
      path: `${encodeURIComponent(account)}/subscribed_apps`,
      answer: subscriptions,
      signal,
    });
    if (!answer.ok) continue;
    verdicts.push(
      answer.value.data.length > 0
        ? ok(name, `an app is subscribed to WhatsApp Business account ${account}`)
        : error(
            name,
            `no app is subscribed to WhatsApp Business account ${account}: Meta sends no webhook`,
            `subscribe yours in the Meta app, or with POST /${account}/subscribed_apps`,
          ),
    );
  }
  return verdicts.length > 0
    ? verdicts
    : [info(name, "Meta does not say whether the app is subscribed to the account's webhooks")];
}

/** A proof made with the wrong secret is refused (G/securing-requests, appsecret_proof): so they belong together. */
async function appSecretVerdicts({ config, graph, signal }: Cloud): Promise<Verdict[]> {
  if (config.app_secret === undefined) {
    return [
      warning(
        "app secret",
        "is not set, so webhooks are taken unsigned and can be forged",
        "set REVKA_WHATSAPP_APP_SECRET or app_secret (Meta app, Settings, Basic)",
      ),
    ];
  }
  const proof = createHmac("sha256", config.app_secret)
    .update(config.access_token ?? "")
    .digest("hex");
  const id = encodeURIComponent(config.phone_number_id ?? "");
  const bare = await graph.call({
    method: "GET",
    path: `${id}?fields=id`,
    answer: jsonObject({}),
    signal,
  });
  const untried = info("app secret", "is set; whether it fits could not be tried");
  if (!bare.ok) return [untried];
  const proven = await graph.call({
    method: "GET",
    path: `${id}?fields=id&appsecret_proof=${proof}`,
    answer: jsonObject({}),
    signal,
  });
  if (proven.ok) return [ok("app secret", "is set, and Meta takes it for the token's app")];
  // "Invalid appsecret_proof": whatever else fails says nothing of the secret.
  return proven.failure.code === "100"
    ? [
        error(
          "app secret",
          "Meta does not take it for the app of the access token, so every webhook would be refused",
          "copy it anew from the Meta app, Settings, Basic",
        ),
      ]
    : [untried];
}

function refused(
  name: string,
  answer: Extract<GraphAnswer<unknown>, { ok: false }>,
  { options }: Graph,
): Verdict {
  const { code, hint } = answer.failure;
  if (answer.status === null) {
    const { host } = new URL(options.baseUrl);
    return error(name, `Meta cannot be reached at ${host} (${code})`, hint);
  }
  return code.startsWith("http_")
    ? error(name, `the answer (${answer.status}) is none of Meta's Graph API`, hint)
    : error(name, `Meta answers ${code}`, hint);
}
