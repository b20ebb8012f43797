import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { tunnelSchema } from "../../src/config/schema-network.ts";
import { tunnelTool } from "../../src/tunnel/tool.ts";

function tool(tunnel: Record<string, unknown>, host = "127.0.0.1", tls = false) {
  const made = tunnelTool(v.parse(tunnelSchema, tunnel), { host, port: 42617, tls });
  if (!made) throw new Error("no tool");
  return made;
}

test("none is none", () => {
  const gateway = { host: "127.0.0.1", port: 1, tls: false };
  expect(tunnelTool(v.parse(tunnelSchema, {}), gateway)).toBeNull();
});

describe("what is started", () => {
  test.each([
    [
      { provider: "cloudflare", cloudflare: { token: "tok" } },
      "cloudflared tunnel --no-autoupdate --url http://127.0.0.1:42617 run",
    ],
    [{ provider: "cloudflare" }, "cloudflared tunnel --no-autoupdate --url http://127.0.0.1:42617"],
    [
      { provider: "ngrok", ngrok: { auth_token: "tok", domain: "a.ngrok.app" } },
      "ngrok http 127.0.0.1:42617 --log=stdout --log-format=logfmt --domain=a.ngrok.app",
    ],
    [{ provider: "tailscale" }, "tailscale serve http://127.0.0.1:42617"],
    [
      { provider: "tailscale", tailscale: { funnel: true } },
      "tailscale funnel http://127.0.0.1:42617",
    ],
    [
      { provider: "openvpn", openvpn: { config_file: "/a.ovpn", auth_file: "/b" } },
      "openvpn --config /a.ovpn --auth-user-pass /b",
    ],
    [
      { provider: "custom", custom: { start_command: "bore local {port} --host={host}" } },
      "bore local 42617 --host=127.0.0.1",
    ],
  ])("%p", (config, expected) => {
    expect(tool(config).command.join(" ")).toBe(expected);
  });

  test("pinggy: token as user, region before the server", () => {
    const pro = tool({ provider: "pinggy", pinggy: { token: "tok", region: "eu" } });
    expect(pro.command.slice(-3)).toEqual(["-R", "0:127.0.0.1:42617", "tok@eu.pro.pinggy.io"]);
    expect(tool({ provider: "pinggy" }).command.at(-1)).toBe("free.pinggy.io");
  });

  test.each([
    [
      { provider: "cloudflare" },
      "tunnel --no-autoupdate --url https://127.0.0.1:42617 --no-tls-verify",
    ],
    [
      { provider: "cloudflare", cloudflare: { token: "tok" } },
      "--url https://127.0.0.1:42617 --no-tls-verify run",
    ],
    [{ provider: "ngrok" }, "ngrok http https://127.0.0.1:42617 --log=stdout"],
    [{ provider: "tailscale" }, "tailscale serve https+insecure://127.0.0.1:42617"],
    [{ provider: "pinggy" }, "free.pinggy.io x:localServerTls"],
  ])("for a gateway that speaks TLS itself: %p", (config, words) => {
    expect(tool(config, "127.0.0.1", true).command.join(" ")).toContain(words);
  });

  test("OpenVPN leads to a gateway that speaks TLS by https", () => {
    const openvpn = { provider: "openvpn", openvpn: { config_file: "/a.ovpn" } };
    const { read } = tool(openvpn, "10.8.0.2", true);
    const up = "2026 Initialization Sequence Completed";
    expect(read(up)).toEqual({ url: "https://10.8.0.2:42617" });
  });

  test("an IPv6 host is put in brackets", () => {
    expect(tool({ provider: "tailscale" }, "::1").command.at(-1)).toBe("http://[::1]:42617");
  });

  test("tokens are in the environment, not in the arguments", () => {
    const cloudflare = tool({ provider: "cloudflare", cloudflare: { token: "s3cret" } });
    const ngrok = tool({ provider: "ngrok", ngrok: { auth_token: "s3cret" } });
    expect(cloudflare.env).toEqual({ TUNNEL_TOKEN: "s3cret" });
    expect(ngrok.env).toEqual({ NGROK_AUTHTOKEN: "s3cret" });
    expect([...cloudflare.command, ...ngrok.command].join(" ")).not.toContain("s3cret");
  });

  test.each([
    [{ provider: "openvpn" }, "tunnel.openvpn.config_file"],
    [{ provider: "custom" }, "tunnel.custom.start_command"],
    [{ provider: "custom", custom: { start_command: "  " } }, "tunnel.custom.start_command"],
  ])("%p names the missing key", (config, key) => {
    expect(() => tool(config)).toThrow(key);
  });
});

describe("what is read", () => {
  const lines: [Record<string, unknown>, string, { url: string | null } | null][] = [
    [
      { provider: "cloudflare" },
      "2026-01-01T00:00:00Z INF |  https://quick-fox-1.trycloudflare.com      |",
      { url: "https://quick-fox-1.trycloudflare.com" },
    ],
    [{ provider: "cloudflare" }, 'ERR Post "https://api.trycloudflare.com/tunnel": EOF', null],
    [{ provider: "cloudflare" }, "INF docs https://developers.cloudflare.com/argo", null],
    [
      { provider: "cloudflare", cloudflare: { token: "t" } },
      "INF Registered tunnel connection connIndex=0",
      { url: null },
    ],
    [
      { provider: "ngrok" },
      't=2026 lvl=info msg="started tunnel" name=command_line addr=http://x url=https://a.ngrok-free.app',
      { url: "https://a.ngrok-free.app" },
    ],
    [{ provider: "ngrok" }, "lvl=eror url=https://a.ngrok-free.app", null],
    [{ provider: "tailscale" }, "https://pi.tail1.ts.net/", { url: "https://pi.tail1.ts.net" }],
    [
      { provider: "tailscale", tailscale: { hostname: "own.ts.net" } },
      "https://pi.tail1.ts.net/",
      { url: "https://own.ts.net" },
    ],
    [
      { provider: "pinggy" },
      "https://rnxyz-1.a.free.pinggy.link",
      { url: "https://rnxyz-1.a.free.pinggy.link" },
    ],
    [{ provider: "pinggy" }, "Upgrade at https://dashboard.pinggy.io", null],
    [
      { provider: "openvpn", openvpn: { config_file: "/a", advertise_address: "10.8.0.2:42617" } },
      "2026 Initialization Sequence Completed",
      { url: "http://10.8.0.2:42617" },
    ],
    [{ provider: "openvpn", openvpn: { config_file: "/a" } }, "TLS Error", null],
    [
      { provider: "custom", custom: { start_command: "x" } },
      "listening at https://a.example/x.",
      { url: "https://a.example/x" },
    ],
    [
      { provider: "custom", custom: { start_command: "x", url_pattern: "https://t." } },
      "see https://docs.example",
      null,
    ],
    [
      { provider: "custom", custom: { start_command: "x", url_pattern: "(a+)+$" } },
      `${"a".repeat(40)}!`,
      null,
    ],
    [
      { provider: "custom", custom: { start_command: "x", url_pattern: "https://t." } },
      "https://docs.example: http://127.0.0.1:42617 -> https://t.example",
      { url: "https://t.example" },
    ],
    [
      { provider: "custom", custom: { start_command: "x", url_pattern: "public" } },
      "public address: https://t.example",
      { url: "https://t.example" },
    ],
    [
      { provider: "custom", custom: { start_command: "x" } },
      "http://127.0.0.1:42617 -> https://t.example",
      { url: "https://t.example" },
    ],
    [
      { provider: "custom", custom: { start_command: "x" } },
      "\u001b[1;32mhttps://t.example\u001b[0m",
      { url: "https://t.example" },
    ],
  ];
  test.each(lines)("%p: %s", (config, line, expected) => {
    expect(tool(config).read(line)).toEqual(expected);
  });
});
