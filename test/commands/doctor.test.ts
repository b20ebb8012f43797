import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { chmodSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { validityVerdict } from "../../src/commands/doctor/certificate-probe.ts";
import { makeCertificate } from "../gateway/certificates.ts";
import { revka, widest } from "../support/command.ts";
import { doctorTrial } from "../support/doctor-trial.ts";

const trial = doctorTrial();
const { cloud, config, doctor } = trial;

test("all is well: exit 0, no error, no secret, nothing on stderr", async () => {
  await cloud();
  const result = await doctor();
  expect(result.findings.filter(({ level }) => level === "error")).toEqual([]);
  expect({ code: result.code, ok: result.ok, err: result.err }).toEqual({
    code: 0,
    ok: true,
    err: "",
  });
  expect(result.find("cloud", "number")?.message).toContain("15550783881");
  expect(result.find("cloud", "token")?.message).toContain("does not expire");
  expect(result.find("cloud", "subscription")?.level).toBe("ok");
  expect(result.find("cloud", "app secret")?.level).toBe("ok");
  expect(result.out).not.toMatch(/s3cret|EAAsimulated|simulated-app-secret/);
});

test("nobody answers: one error that says so, and what does not need Meta is still told", async () => {
  const graph = await cloud();
  await graph.stop();
  const result = await doctor();
  expect(result.code).toBe(1);
  expect(result.find("cloud", "number")).toMatchObject({ level: "error" });
  expect(result.find("cloud", "token")).toBeUndefined();
  expect(result.find("agent", "agent")).toMatchObject({ level: "ok" });
});

test("a readable config, an empty allowlist and a dead gate are named", async () => {
  await cloud({}, 'dm_mention_patterns = ["(unclosed"]');
  const text = (await Bun.file(join(trial.home, "config.toml")).text()).replace(
    '["+15551234567"]',
    "[]",
  );
  config(text);
  chmodSync(join(trial.home, "config.toml"), 0o644);
  const result = await doctor();
  expect(result.code).toBe(1);
  expect(result.find("config", "file mode")).toMatchObject({ level: "warning" });
  expect(result.find("config", "allowlist")).toMatchObject({ level: "warning" });
  expect(
    result.findings.some(({ name, level }) => name === "mention gate" && level === "error"),
  ).toBe(true);
});

test("a secret that strays into another key is not shown", async () => {
  await cloud({}, '[gateway]\npublic_url = "https://verify-s3cret.example"');
  const result = await doctor();
  expect(result.find("gateway", "public address")?.message).toBe("https://[redacted].example");
  expect(result.out).not.toContain("s3cret");
});

test("a proxy that nobody listens at is an error", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  await new Promise((resolve) => server.close(resolve));
  await cloud({}, `proxy_url = "http://ada:proxys3cret@127.0.0.1:${port}"`);
  const result = await doctor();
  expect(result.find("proxy", "proxy")).toMatchObject({ level: "error" });
  expect(result.find("cloud", "number")).toMatchObject({ level: "error" });
  expect(result.out).not.toContain("proxys3cret");
});

test("a certificate that the daemon could not use", async () => {
  const files = { cert: join(trial.home, "one.crt"), key: join(trial.home, "one.key") };
  const pem = makeCertificate(trial.home, "one");
  makeCertificate(trial.home, "two");
  const tls = (cert: string) =>
    cloud({}, `[gateway.tls]\nenabled = true\ncert_path = "${cert}"\nkey_path = "${files.key}"`);
  await tls(files.cert);
  const soon = await doctor();
  expect(soon.find("gateway", "certificate")).toMatchObject({ level: "warning" });
  expect(soon.find("gateway", "public address")?.message).toContain("https://127.0.0.1:42617");
  await tls(join(trial.home, "two.crt"));
  expect((await doctor()).find("gateway", "certificate")).toMatchObject({
    level: "error",
    message: expect.stringContaining("does not belong to the certificate"),
  });
  await tls(join(trial.home, "none.crt"));
  const { code, find } = await doctor();
  expect(code).toBe(1);
  expect(find("gateway", "certificate")?.message).toBe(
    `gateway.tls.cert_path: ${trial.home}/none.crt is not there: name the PEM file`,
  );
  const ends = Date.parse(new X509Certificate(pem.cert).validTo);
  const day = 86_400_000;
  expect(validityVerdict(pem.cert, ends + 1).level).toBe("error");
  expect(validityVerdict(pem.cert, ends - 13 * day).level).toBe("warning");
  expect(validityVerdict(pem.cert, ends - 15 * day).level).toBe("ok");
});

test("a daemon that does not answer is one error among the findings", async () => {
  await cloud();
  const server = createServer((socket) => socket.resume().end("HTTP/1.1 500 No\r\n\r\n{}"));
  trial.undo.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(join(trial.home, "revka.sock"), resolve));
  const { code, err, find } = await doctor();
  expect({ code, err }).toEqual({ code: 1, err: "" });
  expect(find("daemon", "daemon")?.level).toBe("error");
  expect(find("agent", "agent")?.level).toBe("ok");
});

test("a config error is 78, as one JSON document or as lines", async () => {
  config("[channels_config.whatsapp]\nphone_number_id = 5\n");
  const result = await doctor();
  expect(result.code).toBe(78);
  expect(result.ok).toBe(false);
  const plain = await revka(["doctor"], trial.env);
  expect({ code: plain.code, out: plain.out }).toEqual({ code: 78, out: "" });
  expect(plain.err).toContain("phone_number_id");
});

test("the page fits 80 columns", async () => {
  await cloud();
  const { out } = await revka(["doctor"], trial.env);
  const own = out.split("\n").filter((line) => !line.includes(trial.home));
  expect(widest(own.join("\n"))).toBeLessThanOrEqual(80);
  expect(out).not.toContain("\u001b");
  expect(out).toContain("0 errors");
});
