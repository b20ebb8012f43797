import { isLoopbackHost, secureAddressProblem } from "../../config/addresses.ts";
import { canonicalPhone, parseAllowedEntry } from "../../config/numbers.ts";
import { providerNames } from "../../config/rules/agent.ts";
import { commandWords } from "./command-line.ts";
import { withPlus } from "./written.ts";

/** Checks of one answer: what is wrong with it in plain words, or null. Pure; the config's own rules run afterwards. */

export const required = (answer: string): string | null =>
  answer === "" ? "this is needed" : null;

export const accessToken = (answer: string): string | null =>
  /\s/.test(answer.replace(/^Bearer\s+/i, ""))
    ? "a token has no blank and no line break in it"
    : required(answer);

export const phoneNumberId = (answer: string): string | null =>
  /^\d{5,20}$/.test(answer)
    ? null
    : "the phone number ID is 5 to 20 digits, and not the phone number itself";

export const pairPhone = (answer: string): string | null =>
  answer === "" || (canonicalPhone(withPlus(answer)) ?? "").length > 7
    ? null
    : "country code and number, such as 15551234567, or nothing for a QR code";

export const httpUrl = (answer: string): string | null => {
  const url = URL.parse(answer);
  return url && (url.protocol === "https:" || url.protocol === "http:")
    ? null
    : "an address such as https://example.com/agent";
};

export const watiUrl = (answer: string): string | null =>
  httpUrl(answer) === null
    ? secureAddressProblem(answer, "https")
    : "an address such as https://live-mt-server.wati.io";

/** Of a secret that goes to `address`: refused here, where no later answer is lost over the two. */
export const secretFor =
  (address: string) =>
  (answer: string): string | null => {
    const url = URL.parse(address);
    return answer === "" || url?.protocol !== "http:" || isLoopbackHost(url.hostname)
      ? null
      : "over http:// it may go to this machine alone: leave it empty, or begin anew with an https:// address";
  };

export const optionalHttpsUrl = (answer: string): string | null =>
  answer === "" || URL.parse(answer)?.protocol === "https:"
    ? null
    : "an address such as https://bot.example.com, or nothing";

export const allowList = (answer: string): string | null => {
  const wrong = splitList(answer).find(
    (entry) => parseAllowedEntry(withPlus(entry)).kind === "invalid",
  );
  return wrong === undefined
    ? null
    : `"${wrong}" is neither a number with its country code, such as +15551234567, nor *`;
};

export const provider = (answer: string): string | null => {
  if (answer.startsWith("custom:")) {
    return httpUrl(answer.slice("custom:".length)) === null
      ? null
      : "after custom: comes an address, such as custom:https://models.example.com/v1";
  }
  return oneOf([...providerNames, "custom:URL"])(answer);
};

export const commandLine = (answer: string): string | null => {
  const words = commandWords(answer);
  if (words === null) return "a quote is left open";
  return words[0] ? null : "this is needed";
};

export function splitList(answer: string): string[] {
  return answer
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** In either case of letters: the words stand in a question as they begin a sentence. */
export function oneOf(choices: readonly string[]): (answer: string) => string | null {
  return (answer) =>
    choices.some((choice) => choice.toLowerCase() === answer.toLowerCase())
      ? null
      : `one of: ${choices.join(", ")}`;
}
