import { chooseProvider } from "../agent/providers.ts";
import type { Config } from "../config/schema.ts";
import { selectBackend } from "../config/select.ts";
import { credentials, type CredentialName } from "../runtime/credentials.ts";

/**
 * What a service would run without, though a shell may have it: of its variables a service gets none. `config` is read
 * as the service will read it. Sentences for the person who installs it.
 */
export function unsetSecrets(config: Config): string[] {
  const { whatsapp } = config.channels_config;
  const selection = selectBackend(whatsapp, { whatsappWeb: true });
  const cloud = selection.kind === "run" && selection.backend === "cloud";
  const sentences: string[] = [];
  if (cloud && !whatsapp?.app_secret) {
    sentences.push(
      `the service will have no app secret, and whoever knows the address of /whatsapp can write as anybody: ${set("revka-whatsapp-app-secret")}`,
    );
  }
  const isModel = (config.agent?.kind ?? "model") === "model";
  const provider = isModel ? chooseProvider(config, {}) : null;
  if (provider?.missing) {
    sentences.push(
      `the service will have no key for ${provider.name}, and answers nobody: ${set("revka-api-key")}`,
    );
  }
  return sentences;
}

const set = (name: CredentialName) =>
  `set ${credentials[name]} in the config, or hand over the credential ${name}; a variable of your shell does not reach it`;
