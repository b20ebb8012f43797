import { randomBytes } from "node:crypto";
import { buildInfo } from "../../runtime/build-info.ts";
import type { OptionSpec } from "../command.ts";
import * as check from "./checks.ts";
import { commandWords } from "./command-line.ts";
import type { AnswerSource } from "./source.ts";
import type { Answers } from "./template.ts";
import { fromAnywhere, withoutRoute, withPlus } from "./written.ts";

const channels = ["cloud", "web", "wati"];
const agents = ["model", "webhook", "command", "echo"];

/** Every answer as a flag. */
export const initOptions: Readonly<Record<string, OptionSpec>> = {
  channel: { value: "KIND", description: "cloud, web or wati" },
  allow: { value: "NUMBERS", description: "Who is answered, comma-separated; * for everybody" },
  "phone-number-id": { value: "ID", description: "cloud: phone number ID from Meta" },
  "access-token": { value: "TOKEN", description: "cloud: access token" },
  "app-secret": { value: "SECRET", description: "cloud: app secret of the Meta app" },
  "verify-token": { value: "TOKEN", description: "cloud: verify token (default: a random one)" },
  "session-path": { value: "FILE", description: "web: session file" },
  "pair-phone": { value: "NUMBER", description: "web: link this number by code, not by QR" },
  "api-token": { value: "TOKEN", description: "wati: API token" },
  "api-url": { value: "URL", description: "wati: API address, where it is not the usual one" },
  "tenant-id": { value: "ID", description: "wati: tenant" },
  "webhook-secret": {
    value: "SECRET",
    description: "wati: webhook secret (default: a random one)",
  },
  agent: { value: "KIND", description: "model, webhook, command or echo" },
  provider: {
    value: "NAME",
    description: "model: openrouter, openai, anthropic, groq, ollama or custom:URL",
  },
  model: { value: "NAME", description: "model: its name, as the provider spells it" },
  "api-key": { value: "KEY", description: "model: key of the provider" },
  "agent-url": { value: "URL", description: "webhook: address of the agent" },
  "agent-token": { value: "TOKEN", description: "webhook: bearer token sent along" },
  "agent-command": { value: "COMMAND", description: "command: program and arguments" },
  "public-url": { value: "URL", description: "Where the internet reaches Revka" },
};

/**
 * Asks what a config needs, nothing else. `home` is where the session of WhatsApp Web goes; `tell` hears where the config
 * gets something else than was given. Rejects when the person gives up, throws `UsageError` for bad flags.
 */
export async function askAll(
  source: AnswerSource,
  home: string,
  tell: (sentence: string) => void,
): Promise<Answers> {
  const kind = chosen(await source.ask("channel", { text: offer(), check: check.oneOf(channels) }));
  if (kind === "") {
    // The other questions depend on it.
    await source.ask("agent", { text: "", check: check.required });
    source.finish();
  }
  const channel = await askChannel(kind, source, home, tell);
  const allowed = await source.ask("allow", {
    text: "Who is answered? (+15551234567, …; * everybody; empty nobody yet)",
    check: check.allowList,
  });
  const allowedNumbers = check.splitList(allowed).map((entry) => dialled(entry, tell));
  const agent = await askAgent(source);
  const publicUrl = channel.kind === "web" ? null : await askPublicUrl(channel.kind, source, tell);
  source.finish();
  return { channel, allowedNumbers, agent, publicUrl };
}

/** A word of those offered as the config has it; what follows `custom:` stays as it is. */
function chosen(answer: string): string {
  return answer.startsWith("custom:") ? answer : answer.toLowerCase();
}

function offer(): string {
  const choices = "WhatsApp by Meta's Cloud API, Web or WATI? (cloud, web, wati)";
  return buildInfo.variant === "default"
    ? `Web is not in this build: it takes the whatsapp-web variant.\n${choices}`
    : choices;
}

function dialled(number: string, tell: (sentence: string) => void): string {
  const written = withPlus(number);
  if (written !== number) tell(`${number} is written as ${written}.`);
  return written;
}

async function askPublicUrl(
  kind: "cloud" | "wati",
  source: AnswerSource,
  tell: (sentence: string) => void,
): Promise<string | null> {
  const given = await source.ask("public-url", {
    text: "Public https address, if there is one (empty: later)",
    check: check.optionalHttpsUrl,
  });
  const route = kind === "cloud" ? "/whatsapp" : "/wati";
  const taken = withoutRoute(given, route);
  if (taken !== null) {
    tell(`The public address is taken as ${taken}, since ${route} is added to it.`);
  }
  return taken ?? (given || null);
}

async function askChannel(
  kind: string,
  source: AnswerSource,
  home: string,
  tell: (sentence: string) => void,
): Promise<Answers["channel"]> {
  if (kind === "web") {
    const sessionPath = await source.ask("session-path", {
      text: "Session file",
      fallback: `${home}/whatsapp-session.db`,
    });
    const pairPhone = await source.ask("pair-phone", {
      text: "Your number, to link by code (empty: by QR code)",
      check: check.pairPhone,
    });
    return {
      kind,
      sessionPath: fromAnywhere(sessionPath),
      pairPhone: dialled(pairPhone, tell) || null,
    };
  }
  if (kind === "wati") {
    return {
      kind,
      apiToken: await source.ask("api-token", {
        text: "WATI API token (not shown)",
        secret: true,
        check: check.required,
      }),
      apiUrl: await source.ask("api-url", {
        text: "WATI API address",
        fallback: "https://live-mt-server.wati.io",
        check: check.watiUrl,
      }),
      tenantId: (await source.ask("tenant-id", { text: "Tenant (empty: none)" })) || null,
      webhookSecret: (await secretOrRandom("webhook-secret", "Webhook secret", source)) || null,
    };
  }
  return {
    kind: "cloud",
    phoneNumberId: await source.ask("phone-number-id", {
      text: "Phone number ID (Meta Business Suite, WhatsApp, API setup)",
      check: check.phoneNumberId,
    }),
    accessToken: await source.ask("access-token", {
      text: "Access token (not shown)",
      secret: true,
      check: check.accessToken,
    }),
    appSecret:
      (await source.ask("app-secret", {
        text: "App secret (not shown; empty: from REVKA_WHATSAPP_APP_SECRET)",
        secret: true,
      })) || null,
    verifyToken: await secretOrRandom("verify-token", "Verify token", source),
  };
}

async function askAgent(source: AnswerSource): Promise<Answers["agent"]> {
  const kind = chosen(
    await source.ask("agent", {
      text: "Who answers? (model, webhook, command; echo to try things out)",
      check: check.oneOf(agents),
    }),
  );
  if (kind === "webhook") {
    const url = await source.ask("agent-url", {
      text: "Address of the agent",
      check: check.httpUrl,
    });
    return {
      kind,
      url,
      bearerToken:
        (await source.ask("agent-token", {
          text: "Bearer token sent along (not shown; empty: none)",
          secret: true,
          check: check.secretFor(url),
        })) || null,
    };
  }
  if (kind === "command") {
    const line = await source.ask("agent-command", {
      text: "Program and arguments",
      check: check.commandLine,
    });
    return { kind, command: commandWords(line) ?? [] };
  }
  if (kind === "model") {
    const provider = chosen(
      await source.ask("provider", {
        text: "Provider (openrouter, openai, anthropic, groq, ollama, custom:URL)",
        check: check.provider,
      }),
    );
    return {
      kind,
      provider,
      model: await source.ask("model", { text: "Model", check: check.required }),
      apiKey:
        (await source.ask("api-key", {
          text: "API key (not shown; empty: from the provider's variable)",
          secret: true,
          check: check.secretFor(provider.replace(/^custom:/, "")),
        })) || null,
    };
  }
  return { kind: "echo" };
}

async function secretOrRandom(flag: string, text: string, source: AnswerSource): Promise<string> {
  const answer = await source.ask(flag, {
    text: `${text} (not shown; empty: a random one is made)`,
    secret: true,
  });
  return answer || randomBytes(24).toString("base64url");
}
