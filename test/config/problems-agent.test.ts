import { afterAll, describe, expect, test } from "bun:test";
import { complaints, notLoopback, removeFolder } from "./support.ts";

afterAll(removeFolder);

const noAgent =
  'nobody is set to answer: add [agent] with kind = "webhook" and url, kind = "command" and command, or ' +
  'kind = "echo"; or set default_provider and default_model';

describe("who answers: a broken file says what is wrong, and where", () => {
  test.each<[name: string, toml: string, lines: string[]]>([
    ["an empty file", "", [`config.toml:1: agent: ${noAgent}`]],
    [
      "channels, nobody to answer",
      '[gateway]\nhost = "::1"\n',
      [`config.toml:1: agent: ${noAgent}`],
    ],
    [
      "a model without a name",
      'default_provider = "openai"',
      ['config.toml:1: default_model: missing; kind = "model" needs a model name'],
    ],
    [
      "a model without a provider",
      'default_model = "m"',
      ['config.toml:1: default_provider: missing; kind = "model" needs one, such as "openrouter"'],
    ],
    [
      "an unknown provider",
      'default_model = "m"\ndefault_provider = "openruter"',
      [
        'config.toml:2: default_provider: expected "openrouter", "openai", "anthropic", "groq", "ollama" or ' +
          '"custom:https://…", found another string; did you mean "openrouter"?',
      ],
    ],
    [
      "a custom provider without an address",
      'default_model = "m"\ndefault_provider = "custom:llm"',
      ["config.toml:2: default_provider: expected an http or https address after custom:"],
    ],
    [
      "a key sent in the clear",
      'default_model = "m"\ndefault_provider = "custom:http://llm.example/v1"\napi_key = "kkkk"',
      [
        `config.toml:2: default_provider: expected https://, because api_key is set, and http:// is then allowed to a loopback address only`,
      ],
    ],
    [
      "a provider's address in the clear",
      'default_model = "m"\ndefault_provider = "openai"\napi_url = "http://llm.example"',
      [`config.toml:3: api_url: ${notLoopback}`],
    ],
    [
      "a webhook without an address",
      '\n[agent]\nkind = "webhook"\n',
      ['config.toml:2: agent.url: missing; kind = "webhook" needs an address'],
    ],
    [
      "a webhook with another scheme",
      '[agent]\nkind = "webhook"\nurl = "ftp://x"\n',
      ["config.toml:3: agent.url: expected an http or https address"],
    ],
    [
      "a bearer in the clear",
      '[agent]\nkind = "webhook"\nurl = "http://x.example"\nbearer_token = "bbbb"\n',
      [
        `config.toml:3: agent.url: expected https://, because bearer_token is set, and http:// is then allowed to a loopback address only`,
      ],
    ],
    [
      "a command without a program",
      '[agent]\nkind = "command"\n',
      [
        'config.toml:1: agent.command: missing; kind = "command" needs a list such as ["/usr/bin/my-agent"]',
      ],
    ],
    [
      "an empty command",
      '[agent]\nkind = "command"\ncommand = []\n',
      ["config.toml:3: agent.command: expected at least one item"],
    ],
    [
      "a command with a number, and nothing that follows from it",
      '[agent]\nkind = "command"\ncommand = ["run", 1]\n',
      ["config.toml:3: agent.command[1]: expected a string, found an integer"],
    ],
    [
      "a command as text",
      '[agent]\nkind = "command"\ncommand = "run me"\n',
      ["config.toml:3: agent.command: expected a list of strings, found a string"],
    ],
    [
      "an unknown kind of agent",
      '[agent]\nkind = "webhok"\n',
      [
        'config.toml:2: agent.kind: expected "model", "webhook", "command" or "echo", found another string; ' +
          'did you mean "webhook"?',
      ],
    ],
    [
      "a key of the agent, and what is missing besides",
      'default_provider = "groq"\napi_key = "k"\n[agent]\nkind = "model"\nbearer_token = 5\n',
      [
        'config.toml:1: default_model: missing; kind = "model" needs a model name',
        "config.toml:5: agent.bearer_token: expected a string, found an integer",
      ],
    ],
    [
      "an agent that is no table",
      "agent = 5",
      ["config.toml:1: agent: expected a table, found an integer"],
    ],
  ])("%s", (_name, toml, lines) => {
    expect(complaints(toml)).toEqual(lines);
  });
});
