import type { Outline } from "./outline.ts";
import { variable, type Environment } from "./paths.ts";
import { eachText } from "./raw.ts";

/** Shorter values are no secrets, and taking them out of every line would leave no line readable. */
const shortestSecret = 4;

const secretVariable = /_(API_KEY|SESSION_KEY|TOKEN|SECRET|PASSWORD)$/i;

/**
 * Every secret that the file or the environment holds, for the log to take out of its lines: values of secret keys,
 * passwords inside addresses, variables named like keys; each also as it looks inside a URL. The longest first, so
 * that a secret that holds another goes as a whole.
 */
export function collectSecrets(config: unknown, outline: Outline, env: Environment): string[] {
  const secrets = new Set<string>();
  const add = (value: string) => {
    for (const form of [value, encodeURIComponent(value.toWellFormed())]) {
      if (form.length >= shortestSecret) secrets.add(form);
    }
  };
  const addPassword = (value: string) => {
    const url = value.includes("@") ? URL.parse(value) : null;
    if (url?.password) add(decoded(url.password));
  };
  eachText(config, outline, (text, { secret }) => {
    if (secret) add(text);
    addPassword(text);
  });
  for (const name of Object.keys(env)) {
    const value = variable(env, name);
    if (value === null) continue;
    if (secretVariable.test(name)) add(value);
    else if (/_PROXY$/i.test(name)) addPassword(value);
  }
  return [...secrets].toSorted((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
