import { expect, test } from "bun:test";
import { download, type DownloadOptions } from "../../src/net/download.ts";
import type { Fetch } from "../../src/net/fetch.ts";

/** Downloads from a server that answers with these redirects, by address; what was asked of it, and how. */
async function asked(
  url: string,
  redirects: Record<string, string>,
  more: Partial<DownloadOptions> = {},
  status = 302,
) {
  const requests: { url: string; init: RequestInit | undefined }[] = [];
  const fetch: Fetch = async (at, init) => {
    requests.push({ url: String(at), init });
    const location = redirects[String(at)];
    return location === undefined
      ? new Response("arrived")
      : new Response(null, { status, headers: { location } });
  };
  const got = await download({
    url,
    fetch,
    allows: () => true,
    maxBytes: 100,
    ...more,
  }).then(
    ({ body }) => new Response(body).text(),
    (error: { code?: string }) => `refused: ${error.code}`,
  );
  return { got, requests, urls: requests.map((request) => request.url) };
}

test.each([301, 302, 303, 307, 308])("a redirect with status %d is followed", async (status) => {
  const redirects = { "https://files.test/a": "/b" };
  const { got, urls } = await asked("https://files.test/a", redirects, {}, status);
  expect(got).toBe("arrived");
  expect(urls).toEqual(["https://files.test/a", "https://files.test/b"]);
});

test("a target without a host is of the host that names it, not of the first", async () => {
  const { urls } = await asked("https://files.test/a", {
    "https://files.test/a": "https://cdn.test/x/a",
    "https://cdn.test/x/a": "b",
  });
  expect(urls).toEqual(["https://files.test/a", "https://cdn.test/x/a", "https://cdn.test/x/b"]);
});

test("the bearer goes to the host and port it is for, and comes back with them", async () => {
  const redirects = {
    "https://files.test/a": "https://files.test:8443/a",
    "https://files.test:8443/a": "https://files.test/b",
  };
  const { requests } = await asked("https://files.test/a", redirects, { bearer: "secret" });
  const seen = requests.map(({ init }) => new Headers(init?.headers).get("authorization"));
  expect(seen).toEqual(["Bearer secret", null, "Bearer secret"]);
});

test("no redirect is left to the fetch, which would not check it, and nothing comes packed", async () => {
  const { requests } = await asked("https://files.test/a", { "https://files.test/a": "/b" });
  expect(requests.map(({ init }) => init?.redirect)).toEqual(["manual", "manual"]);
  const packing = requests.map(({ init }) => new Headers(init?.headers).get("accept-encoding"));
  expect(packing).toEqual(["identity", "identity"]);
});
