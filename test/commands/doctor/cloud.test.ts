import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  cloudProbes,
  expiryVerdict,
  skewVerdict,
} from "../../../src/commands/doctor/cloud-probes.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { fakeClock } from "../../support/clock.ts";
import { examined } from "../../support/examined.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-doctor-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What Meta answers, by the end of the path; whatever is not named is the number. */
type Answers = Record<string, unknown>;
const number = { id: "1", display_phone_number: "+1 555-0001" };
const token = {
  is_valid: true,
  expires_at: 0,
  scopes: ["whatsapp_business_messaging"],
  granular_scopes: [{ scope: "whatsapp_business_management", target_ids: ["waba"] }],
};
const refusal = (code: number, status = 400) =>
  Response.json({ error: { code, message: "no" } }, { status });

const cloud = `[channels_config.whatsapp]
phone_number_id = "1"
access_token = "aaaa"
verify_token = "vvvv"
graph_api_version = "v26.0"
`;

/** The findings, each as one line, and the paths that were asked. */
async function found(answers: Answers = {}, text = cloud) {
  const path = join(folder, "config.toml");
  writeFileSync(path, `[agent]\nkind = "echo"\n${text}`, { mode: 0o600 });
  const asked: string[] = [];
  const whole: Answers = {
    debug_token: { data: token },
    subscribed_apps: { data: [{}] },
    number,
    ...answers,
  };
  const findings = await examined(
    cloudProbes,
    loadConfig({ path, env: {}, home: folder }),
    { clock: fakeClock(Date.parse("2026-11-23T12:00:00Z")) },
    async (url) => {
      const end = new URL(url).pathname.split("/").at(-1) ?? "";
      asked.push(end);
      const answer = whole[end] ?? whole["number"];
      if (answer instanceof Error) throw answer;
      return answer instanceof Response ? answer.clone() : Response.json(answer);
    },
  );
  const lines = findings.map(({ level, name, message }) => `${level} ${name}: ${message}`);
  return {
    lines,
    asked,
    of: (name: string) => lines.filter((line) => line.includes(` ${name}: `)),
  };
}

test.each([
  ["of WhatsApp Web", '[channels_config.whatsapp]\nsession_path = "/nowhere/s.db"\n'],
  ["of neither kind", '[channels_config.whatsapp]\naccess_token = "aaaa"\n'],
  ["of WATI alone", '[channels_config.wati]\napi_token = "watitoken"\n'],
])("Meta is asked nothing by a config %s", async (_, text) => {
  const { lines, asked } = await found({}, text);
  expect({ lines, asked }).toEqual({ lines: [], asked: [] });
});

describe("the number", () => {
  test.each([
    [number, ["ok number: Meta knows the number +1 555-0001"], []],
    [
      { ...number, verified_name: "Ada", quality_rating: "GREEN" },
      ["ok number: Meta knows the number +1 555-0001 (Ada)"],
      [],
    ],
    [
      { ...number, quality_rating: "YELLOW" },
      ["ok number: Meta knows the number +1 555-0001"],
      ["warning quality: Meta rates the number yellow"],
    ],
    [
      { ...number, quality_rating: "RED" },
      ["ok number: Meta knows the number +1 555-0001"],
      ["warning quality: Meta rates the number red"],
    ],
  ])("%j", async (answer, named, rated) => {
    const { of } = await found({ number: answer });
    expect([of("number"), of("quality")]).toEqual([named, rated]);
  });

  test("tells by its answer that this clock is wrong", async () => {
    const late = () =>
      Response.json(number, { headers: { date: "Mon, 23 Nov 2026 12:10:00 GMT" } });
    expect((await found({ number: late() })).of("clock")).toEqual([
      "warning clock: this machine's clock is 600 s off Meta's",
    ]);
    expect((await found()).of("clock")).toEqual([]);
  });
});

test("where Meta cannot be reached, the host that was asked is named", async () => {
  const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  const { of } = await found(
    { number: refused, debug_token: refused },
    `${cloud}api_base_url = "https://graph.example:8443/x"\n`,
  );
  expect(of("number")).toEqual([
    "error number: Meta cannot be reached at graph.example:8443 (ECONNREFUSED)",
  ]);
});

describe("the token", () => {
  test.each<[string, unknown, string[]]>([
    ["that is fine", { data: token }, ["ok token: the access token is valid and does not expire"]],
    [
      "of which no end is said",
      { data: { ...token, expires_at: undefined } },
      ["ok token: the access token is valid and does not expire"],
    ],
    [
      "that Meta calls invalid",
      { data: { ...token, is_valid: false } },
      ["error token: Meta calls the access token invalid"],
    ],
    ["that Meta refuses", refusal(190), ["error token: Meta answers 190"]],
    [
      "that may not look at itself",
      refusal(100),
      ["info token: Meta does not say when it expires or what it may do"],
    ],
  ])("%s", async (_, answer, expected) => {
    expect((await found({ debug_token: answer })).of("token")).toEqual(expected);
  });

  test.each<[string, unknown, number]>([
    ["that has the permission", token.scopes, 0],
    ["that has others", ["whatsapp_business_management"], 1],
    ["that has none", [], 1],
    ["of which none is said", undefined, 0],
  ])("%s", async (_, scopes, errors) => {
    const { of } = await found({ debug_token: { data: { ...token, scopes } } });
    expect(of("permission")).toHaveLength(errors);
  });
});

describe("the subscription", () => {
  const unknown = [
    "info subscription: Meta does not say whether the app is subscribed to the account's webhooks",
  ];
  test.each<[string, Answers, string[]]>([
    ["there is", {}, ["ok subscription: an app is subscribed to WhatsApp Business account waba"]],
    [
      "there is none",
      { subscribed_apps: { data: [] } },
      [
        "error subscription: no app is subscribed to WhatsApp Business account waba: Meta sends no webhook",
      ],
    ],
    ["of which Meta does not tell", { subscribed_apps: refusal(10, 403) }, unknown],
    [
      "of an account that is not named",
      { debug_token: { data: { ...token, granular_scopes: [] } } },
      unknown,
    ],
  ])("%s", async (_, answers, expected) => {
    expect((await found(answers)).of("subscription")).toEqual(expected);
  });
});

test("without an app secret Meta is not asked of it, and its lack is told", async () => {
  expect((await found()).of("app secret")).toEqual([
    "warning app secret: is not set, so webhooks are taken unsigned and can be forged",
  ]);
  const set = await found({ number: refusal(190) }, `${cloud}app_secret = "ssss"\n`);
  expect(set.of("app secret")).toEqual([
    "info app secret: is set; whether it fits could not be tried",
  ]);
});

test("two minutes are as exact as a clock needs to be", () => {
  const at = Date.parse("2026-11-23T12:00:00Z");
  expect(skewVerdict("Mon, 23 Nov 2026 12:02:00 GMT", at)).toBeNull();
  expect(skewVerdict("Mon, 23 Nov 2026 12:02:01 GMT", at)?.level).toBe("warning");
  expect(skewVerdict(null, 0)).toBeNull();
});

test.each<[string, string]>([
  ["2026-11-20T00:00:00Z", "error: the access token expired on 2026-11-20"],
  ["2026-12-01T00:00:00Z", "warning: the access token expires on 2026-12-01"],
  ["2027-01-20T00:00:00Z", "info: the access token expires on 2027-01-20"],
])("a token that ends at %s", (end, said) => {
  const at = Date.parse("2026-11-23T12:00:00Z");
  const { level, message } = expiryVerdict(Date.parse(end) / 1000, at);
  expect(`${level}: ${message}`).toBe(said);
});
