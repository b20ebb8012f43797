import { canonicalPhone } from "./numbers.ts";
import { expandHome } from "./paths.ts";
import type { AgentConfig, Config } from "./schema.ts";
import { bareToken } from "./token.ts";

/**
 * The checked configuration in the one form that the rest of the house reads: base addresses without a slash at the
 * end or spaces around them, tokens of platforms and a provider's key without `Bearer`, the gateway's host without
 * brackets, `pair_phone` as digits, `pair_code` without its dash and in capitals, the program of a command without `~`,
 * a turn's time of 30 seconds at least.
 */
export function normalise(config: Config, home: string): Config {
  const { whatsapp, wati } = config.channels_config;
  return {
    ...config,
    ...(config.api_key && { api_key: bareToken(config.api_key) }),
    channels_config: {
      ...config.channels_config,
      message_timeout_secs: Math.max(30, config.channels_config.message_timeout_secs),
      ...(whatsapp && {
        whatsapp: {
          ...whatsapp,
          api_base_url: withoutSlash(whatsapp.api_base_url),
          pair_code: whatsapp.pair_code.replaceAll("-", "").toUpperCase(),
          ...(whatsapp.access_token && { access_token: bareToken(whatsapp.access_token) }),
          ...(whatsapp.pair_phone && { pair_phone: digits(whatsapp.pair_phone) }),
        },
      }),
      ...(wati && {
        wati: {
          ...wati,
          api_url: withoutSlash(wati.api_url),
          api_token: bareToken(wati.api_token ?? ""),
        },
      }),
    },
    gateway: { ...config.gateway, host: config.gateway.host.replace(/^\[(.*)\]$/, "$1") },
    ...(config.agent && { agent: withProgram(config.agent, home) }),
  };
}

function withProgram(agent: AgentConfig, home: string): AgentConfig {
  if (agent.command === undefined) return agent;
  const [program = "", ...rest] = agent.command;
  return { ...agent, command: [expandHome(program, home), ...rest] };
}

const withoutSlash = (address: string): string => address.trim().replace(/\/+$/, "");

const digits = (phone: string): string => canonicalPhone(phone)?.slice(1) ?? phone;
