import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findExecutable } from "../../src/runtime/executable.ts";
import { testCertificate } from "../net/certificate.ts";
import { executable, installTrial, script } from "./install-trial.ts";

const trial = installTrial();
const name = "revka-1.2.3-linux-x64";
const programs = ["curl", "wget"];

describe.each(programs)("install.sh with %s", (program) => {
  const missing = !findExecutable(program);
  const tls = testCertificate;
  let plain: ReturnType<typeof Bun.serve>;
  let elsewhere: ReturnType<typeof Bun.serve>;
  let server: ReturnType<typeof Bun.serve>;
  let askedInTheOpen = 0;

  beforeAll(() => {
    const file = (path: string) => {
      const found = join(trial.release, path);
      return existsSync(found)
        ? new Response(readFileSync(found))
        : new Response("<h1>Not found</h1>", { status: 404 });
    };
    const listening = { hostname: "127.0.0.1", port: 0 };
    plain = Bun.serve({
      ...listening,
      fetch: ({ url }) => {
        askedInTheOpen++;
        return file(new URL(url).pathname);
      },
    });
    elsewhere = Bun.serve({ ...listening, tls, fetch: ({ url }) => file(new URL(url).pathname) });
    server = Bun.serve({
      ...listening,
      tls,
      fetch: ({ url }) => {
        const [, way = "", path = ""] = new URL(url).pathname.split("/");
        if (way === "to-http") {
          return Response.redirect(`http://localhost:${plain.port}/${path}`, 302);
        }
        if (way === "elsewhere") {
          return Response.redirect(`https://localhost:${elsewhere.port}/${path}`, 302);
        }
        if (way === "cut" && path === name) return new Response("#!/bin/sh\n");
        return file(path);
      },
    });
  });
  afterAll(() => Promise.all([plain.stop(true), elsewhere.stop(true), server.stop(true)]));

  async function install(way: string) {
    const certificate = join(trial.place, "localhost.crt");
    writeFileSync(certificate, tls.cert);
    const wgetrc = join(trial.place, "wgetrc");
    writeFileSync(wgetrc, `ca_certificate=${certificate}\n`);
    const other = programs.filter((one) => one !== program);
    const child = spawn(
      "/bin/sh",
      [script, "--base-url", `https://localhost:${server.port}/${way}/`, "--prefix", trial.prefix],
      {
        stdio: ["ignore", "ignore", "pipe"],
        env: {
          PATH: trial.pathOf({ with: [program], without: other }),
          HOME: trial.place,
          TMPDIR: trial.place,
          CURL_CA_BUNDLE: certificate,
          WGETRC: wgetrc,
        },
      },
    );
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const err = await text(child.stderr);
    const file = join(trial.prefix, "revka");
    const installed = existsSync(file) ? readFileSync(file, "utf8") : null;
    return { code: await ended, err, installed };
  }

  test.skipIf(missing)(`installs what it downloads (needs ${program})`, async () => {
    await trial.fill([name]);
    const run = await install("release");
    expect(run).toEqual({ code: 0, err: "", installed: executable(name) });
  });

  test.skipIf(missing)(`goes nowhere over http (needs ${program})`, async () => {
    await trial.fill([name]);
    const run = await install("to-http");
    expect(run.err).toContain("/to-http/SHA256SUMS could not be downloaded");
    expect({ ...run, askedInTheOpen }).toMatchObject({
      code: 1,
      installed: null,
      askedInTheOpen: 0,
    });
  });

  test.skipIf(missing)(`installs no part of a file (needs ${program})`, async () => {
    await trial.fill([name]);
    const run = await install("cut");
    expect(run.err).toContain(`${name} does not have the checksum`);
    expect(run).toMatchObject({ code: 1, installed: null });
  });

  test.skipIf(missing)(`takes no page for a file (needs ${program})`, async () => {
    const run = await install("release");
    expect(run.err).toContain("/SHA256SUMS could not be downloaded");
    expect(run).toMatchObject({ code: 1, installed: null });
  });

  test.skipIf(missing || program !== "curl")("follows to another host (needs curl)", async () => {
    await trial.fill([name]);
    expect(await install("elsewhere")).toMatchObject({ code: 0, installed: executable(name) });
  });
});
