import { describe, expect, test } from "bun:test";
import { AgentError } from "../../src/agent/agent.ts";
import { mayRefuseImages, modelError, refusesImages } from "../../src/agent/model-error.ts";
import type { Provider } from "../../src/agent/providers.ts";

const provider: Provider = {
  name: "openai",
  baseUrl: "https://api.test/v1",
  apiKey: "sk_live_abc",
  missing: null,
};

/** As the SDK throws it. */
function refusal(statusCode: number, error?: object | string): Error {
  const responseBody = typeof error === "string" ? error : JSON.stringify({ error });
  return Object.assign(new Error("you sent: secret words"), {
    name: "AI_APICallError",
    statusCode,
    ...(error === undefined ? {} : { responseBody }),
  });
}

const said = (error: unknown, of: Provider = provider) => modelError(error, of).detail;

describe("of a provider's words only an error code passes", () => {
  const plain = "openai answered with status 400: ";
  test.each<[name: string, error: object | string | undefined, start: string]>([
    ["a code", { code: "model_not_found" }, "openai answered with status 400 (model_not_found): "],
    ["a type", { type: "invalid_request" }, "openai answered with status 400 (invalid_request): "],
    [
      "the type where the code is none",
      { code: 400, type: "invalid_request" },
      "openai answered with status 400 (invalid_request): ",
    ],
    ["words", { code: "secret words" }, plain],
    ["one word", { code: "secret" }, plain],
    ["capitals", { code: "Secret_words" }, plain],
    ["digits", { code: "card_4111" }, plain],
    ["what goes on", { code: "invalid_key: secret words" }, plain],
    ["what is too long", { code: `secret_${"a".repeat(54)}` }, plain],
    ["no object", { code: { secret_words: 1 } }, plain],
    ["no error", "{}", plain],
    ["no JSON", "secret words", plain],
    ["no body", undefined, plain],
  ])("%s", (_, error, start) => {
    const detail = said(refusal(400, error));
    expect(detail).toStartWith(start);
    expect(detail).toEndWith("the request is refused; check default_model and the settings");
    expect(detail).not.toContain("secret");
  });

  test("the longest that is one, and none that holds the key", () => {
    const longest = `long_${"a".repeat(55)}`;
    expect(said(refusal(400, { code: longest }))).toContain(`(${longest})`);
    const keyed = { ...provider, apiKey: "live_abc" };
    expect(said(refusal(401, { code: "bad_live_abc_given" }), keyed)).not.toContain("live_abc");
    const keyless = { ...provider, apiKey: null };
    expect(said(refusal(401, { code: "no_key_given" }), keyless)).toContain("(no_key_given)");
  });
});

test.each([
  [400, "the request is refused; check default_model and the settings", false],
  [401, "the key is refused; check api_key", false],
  [402, "the account has no credit left", false],
  [403, "the key may not do this; check its permissions", false],
  [404, "there is no such model or address; check default_model and api_url", false],
  [408, "it timed out", true],
  [413, "the conversation is too long; lower [agent] max_history_messages", false],
  [429, "too many requests, or the quota is used up", true],
  [409, "an unexpected answer", true],
  [418, "an unexpected answer", false],
  [499, "an unexpected answer", false],
  [500, "it is in trouble", true],
  [502, "it is in trouble", true],
  [529, "it is overloaded", true],
])("status %d: %s, repeated: %p", (status, words, retryable) => {
  expect(modelError(refusal(status), provider)).toMatchObject({
    detail: `openai answered with status ${status}: ${words}`,
    retryable,
  });
});

test.each<[name: string, error: unknown, kind: string]>([
  ["an answer of status 200 that was none", refusal(200), "AI_APICallError"],
  ["an answer of status 299 that was none", refusal(299), "AI_APICallError"],
  ["an error of the SDK's", new TypeError("secret words"), "TypeError"],
  ["what is no error", "secret words", "string"],
])("%s is named by its kind alone, and worth repeating", (_, error, kind) => {
  expect(modelError(error, provider)).toMatchObject({
    detail: `openai gave an answer that cannot be used (${kind})`,
    retryable: true,
  });
});

test("status 300 is an answer, though none of use", () => {
  expect(said(refusal(300))).toBe("openai answered with status 300: an unexpected answer");
});

test("what is an error of ours stays as it is", () => {
  const own = new AgentError("it is ours", false);
  expect(modelError(own, provider)).toBe(own);
});

test("the same turn without pictures may be taken after some refusals only", () => {
  for (const status of [400, 404, 413, 415, 422]) {
    expect([status, mayRefuseImages(refusal(status))]).toEqual([status, true]);
  }
  for (const status of [200, 401, 403, 429, 500]) {
    expect([status, mayRefuseImages(refusal(status))]).toEqual([status, false]);
  }
  const named = (name: string) => Object.assign(new Error("x"), { name });
  expect(mayRefuseImages(named("AI_UnsupportedFunctionalityError"))).toBe(true);
  expect(mayRefuseImages(named("AI_OtherError"))).toBe(false);
  expect(mayRefuseImages("AI_UnsupportedFunctionalityError")).toBe(false);
});

describe("a model that says that it takes no pictures", () => {
  test.each([
    "No endpoints found that support image input",
    "Invalid content type. image_url is only supported by certain models.",
    "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
    'Failed to parse messages: Unsupported content part type: "image_url"',
    "m-1 is not a multimodal model",
    "Model does not support images. Please use a model that does.",
    "This model doesn't support vision",
    "Image input is not enabled for this model",
    "this model is missing data required for image input",
  ])("does so under any status: %s", (message) => {
    for (const status of [400, 404, 500]) {
      expect(refusesImages(refusal(status, { message }))).toBe(true);
      expect(mayRefuseImages(refusal(status, { message }))).toBe(true);
    }
  });

  test.each([
    "the image could not be read",
    "image queue is full, try again later",
    "this model does not support tools",
    "you asked for vision, and the server is overloaded",
    "",
  ])("does not by: %s", (message) => {
    expect(refusesImages(refusal(500, { message }))).toBe(false);
    expect(mayRefuseImages(refusal(500, { message }))).toBe(false);
  });

  test.each([
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg']",
    "The image that you uploaded is not supported",
    "Unsupported MIME type: image/tiff",
    "unsupported image format",
    "media_type image/heic is not supported",
  ])("does not by what it says of one file: %s", (message) => {
    expect(refusesImages(refusal(400, { message }))).toBe(false);
    expect(mayRefuseImages(refusal(400, { message }))).toBe(true);
  });

  test.each([
    [401, "your key is not enabled for llama-3.2-90b-vision"],
    ...[402, 403, 408, 425, 502, 504].map(
      (status) => [status, "llama-3.2-90b-vision is not supported now"] as const,
    ),
    [429, "rate limit of llama-3.2-90b-vision reached; if this does not end, contact support"],
    [503, "llama-3.2-90b-vision is overloaded; if this does not end, contact support"],
    [529, "llama-3.2-90b-vision is overloaded; if this does not end, contact support"],
  ])("does not by status %d, which is of key or load: %s", (status, message) => {
    expect(refusesImages(refusal(status, { message }))).toBe(false);
    expect(mayRefuseImages(refusal(status, { message }))).toBe(false);
  });

  test("does not where the words are the conversation's, which some echo", () => {
    const message = `Failed to parse messages; messages = [${"x".repeat(300)} images are not supported`;
    expect(refusesImages(refusal(500, { message }))).toBe(false);
  });
});
