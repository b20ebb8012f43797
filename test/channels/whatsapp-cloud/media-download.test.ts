import { describe, expect, test } from "bun:test";
import type { MediaReference } from "../../../src/channels/message.ts";
import { callTimeoutMs } from "../../../src/channels/whatsapp-cloud/graph.ts";
import { isMediaAddress } from "../../../src/channels/whatsapp-cloud/media-hosts.ts";
import { openMedia } from "../../../src/channels/whatsapp-cloud/media-download.ts";
import { fakeClock } from "../../support/clock.ts";
import { graphStub, live, refused } from "./graph-stub.ts";

describe("isMediaAddress", () => {
  const meta = "https://graph.facebook.com";
  const loopback = "http://127.0.0.1:4000";
  const rows: [string, string, boolean][] = [
    ["https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", meta, true],
    ["https://scontent.xx.fbcdn.net/a", meta, true],
    ["https://mmg.whatsapp.net/a", meta, true],
    ["https://graph.facebook.com/a", meta, true],
    ["https://facebook.com/a", meta, true],
    ["http://lookaside.fbsbx.com/a", meta, false],
    ["https://lookaside.fbsbx.com:8443/a", meta, false],
    ["https://fbsbx.com.evil.example/a", meta, false],
    ["https://evilfbsbx.com/a", meta, false],
    ["https://127.0.0.1/a", meta, false],
    ["https://169.254.169.254/a", meta, false],
    ["https://user@lookaside.fbsbx.com@evil.example/", meta, false],
    ["http://127.0.0.1:4000/a", loopback, true],
    ["http://localhost:4000/a", loopback, true],
    ["http://127.0.0.1/a", "http://localhost:80", true],
    ["http://127.0.0.1:9/a", loopback, false],
    ["http://localhost/a", loopback, false],
    ["https://127.0.0.1:4000/a", loopback, false],
    ["https://lookaside.fbsbx.com/a", loopback, false],
    ["http://10.0.0.1/a", loopback, false],
    ["http://10.0.0.1:4000/a", loopback, false],
  ];
  test.each(rows)("%s from %s: %p", (address, base, expected) => {
    expect(isMediaAddress(new URL(address), base)).toBe(expected);
  });
});

function media(source: MediaReference["source"]): MediaReference {
  return { kind: "image", mimeType: null, filename: null, size: null, durationSecs: null, source };
}

const bytes = async (body: ReadableStream<Uint8Array>) => await new Response(body).text();

describe("openMedia", () => {
  test("asks for the address, then the address, both with the token", async () => {
    await using stub = graphStub(({ path }) =>
      path.startsWith("/v26.0/")
        ? Response.json({ url: `${stub.url}/file?mid=77`, mime_type: "image/png", file_size: 5 })
        : new Response("bytes"),
    );
    const file = await openMedia(stub.graph, "106", media({ id: "77", url: null }), live());
    expect([await bytes(file.body), file.mimeType]).toEqual(["bytes", "image/png"]);
    expect(stub.asked.map(({ path }) => path)).toEqual([
      "/v26.0/77?phone_number_id=106",
      "/file?mid=77",
    ]);
    for (const { headers } of stub.asked)
      expect(headers.get("authorization")).toBe("Bearer EAAtoken");
  });

  test("a 404 asks once more, a second one ends it", async () => {
    for (const good of [true, false]) {
      let asked = 0;
      await using stub = graphStub(({ path }) => {
        if (path.startsWith("/v26.0/"))
          return Response.json({ url: `${stub.url}/file-${++asked}` });
        return path === "/file-2" && good
          ? new Response("bytes")
          : new Response("", { status: 404 });
      });
      const opened = openMedia(stub.graph, "106", media({ id: "77", url: null }), live());
      if (good) expect(await bytes((await opened).body)).toBe("bytes");
      else await expect(opened).rejects.toMatchObject({ code: "status", status: 404 });
      expect(asked).toBe(2);
    }
  });

  test("any other failure is not asked about again", async () => {
    await using stub = graphStub(({ path }) =>
      path.startsWith("/v26.0/")
        ? Response.json({ url: `${stub.url}/file` })
        : new Response("", { status: 500 }),
    );
    const opened = openMedia(stub.graph, "106", media({ id: "77", url: null }), live());
    await expect(opened).rejects.toMatchObject({ code: "status", status: 500 });
    expect(stub.asked).toHaveLength(2);
  });

  test("without an id the address in the webhook is asked, on Meta's hosts alone", async () => {
    const headers = { "content-type": "image/webp" };
    await using stub = graphStub(() => new Response("bytes", { headers }));
    const source = { id: null, url: `${stub.url}/file?mid=77` };
    const file = await openMedia(stub.graph, "106", media(source), live());
    expect([await bytes(file.body), file.mimeType]).toEqual(["bytes", "image/webp"]);
    expect(stub.asked.map(({ path }) => path)).toEqual(["/file?mid=77"]);
    const foreign = media({ id: null, url: "https://evil.example/file" });
    await expect(openMedia(stub.graph, "106", foreign, live())).rejects.toMatchObject({
      code: "address_refused",
    });
  });

  test("what the webhook says of its kind counts before what is said later", async () => {
    await using stub = graphStub(({ path }) =>
      path.startsWith("/v26.0/")
        ? Response.json({ url: `${stub.url}/file`, mime_type: "image/png" })
        : new Response("bytes", { headers: { "content-type": "image/webp" } }),
    );
    const told = { ...media({ id: "77", url: null }), mimeType: "image/jpeg" };
    expect((await openMedia(stub.graph, "106", told, live())).mimeType).toBe("image/jpeg");
  });

  test("a file is taken up to the size that Meta takes from anybody", async () => {
    const longest = 100 * 1024 * 1024;
    let length = longest;
    await using stub = graphStub(() => new Response(), {
      fetch: async () => new Response("bytes", { headers: { "content-length": `${length}` } }),
    });
    const opened = () =>
      openMedia(stub.graph, "106", media({ id: null, url: `${stub.url}/file` }), live());
    await (await opened()).body.cancel();
    length++;
    await expect(opened()).rejects.toMatchObject({ code: "too_large" });
  });

  test.each(["/v26.0/77", "/file"])("a stop while %s is asked is told as that", async (stopped) => {
    const stop = new AbortController();
    await using stub = graphStub(({ path }) => {
      if (!path.startsWith(stopped)) return Response.json({ url: `${stub.url}/file` });
      stop.abort(new Error("the turn is over"));
      return new Promise(() => {});
    });
    const opened = openMedia(stub.graph, "106", media({ id: "77", url: null }), stop.signal);
    await expect(opened).rejects.toThrow("the turn is over");
  });

  test("another host gets neither the token nor, unless it is Meta's, a visit", async () => {
    // By another name it is another origin, though on loopback the same server.
    const renamed = () => stub.url.replace("127.0.0.1", "localhost");
    await using stub = graphStub(({ path }) => {
      if (path.startsWith("/v26.0/")) return Response.json({ url: `${stub.url}/file` });
      if (path === "/moved") return new Response("bytes");
      return new Response(null, { status: 302, headers: { location: `${renamed()}/moved` } });
    });
    const file = await openMedia(stub.graph, "106", media({ id: "77", url: null }), live());
    expect(await bytes(file.body)).toBe("bytes");
    expect(stub.asked.map(({ headers }) => headers.get("authorization"))).toEqual([
      "Bearer EAAtoken",
      "Bearer EAAtoken",
      null,
    ]);

    await using other = graphStub(() => new Response("bytes"));
    const elsewhere = `${other.url}/file`;
    for (const address of [
      elsewhere,
      "http://192.0.2.1/",
      "https://evil.example/",
      "file:///etc/passwd",
    ]) {
      await using bad = graphStub(() => Response.json({ url: address }));
      const opened = openMedia(bad.graph, "106", media({ id: "77", url: null }), live());
      await expect(opened).rejects.toMatchObject({ code: "address_refused" });
      await using moved = graphStub(({ path }) =>
        path.startsWith("/v26.0/")
          ? Response.json({ url: `${moved.url}/file` })
          : new Response(null, { status: 302, headers: { location: address } }),
      );
      const redirected = openMedia(moved.graph, "106", media({ id: "77", url: null }), live());
      await expect(redirected).rejects.toMatchObject({ code: "redirect_refused" });
    }
    expect(other.asked).toEqual([]);
  });

  test.each([[{ id: null }], [{ id: "../me" }], [{ id: "" }], [{ id: "a/b" }], [{ id: 7 }]])(
    "%p is never asked for",
    async (source) => {
      await using stub = graphStub(() => Response.json({ url: "x" }));
      const opened = openMedia(stub.graph, "106", media(source), live());
      await expect(opened).rejects.toMatchObject({ code: "media_id" });
      expect(stub.asked).toEqual([]);
    },
  );

  const passing = { name: "DownloadFailure", mayPass: true };
  const final = (code: string) => ({ name: "MediaUnavailable", code });
  test.each<[string, () => Response, object]>([
    ["a refusal is told in Meta's words", () => refused(400, { code: 100 }), final("100")],
    ["trouble of Meta's own may pass", () => new Response(null, { status: 503 }), passing],
    ["trouble that Meta calls passing may pass", () => refused(500, { code: 2 }), passing],
    [
      "a pause that Meta wants does not pass in a moment",
      () => refused(400, { code: 4 }),
      final("4"),
    ],
  ])("of what keeps the address: %s", async (_name, answer, expected) => {
    await using stub = graphStub(answer);
    const opened = openMedia(stub.graph, "106", media({ id: "77", url: null }), live());
    await expect(opened).rejects.toMatchObject(expected);
  });

  test("a connection that does not stand may pass, a wait that took its time is not begun again", async () => {
    const refuse = async () => {
      throw Object.assign(new Error(), { code: "ECONNREFUSED" });
    };
    await using none = graphStub(() => new Response(), { fetch: refuse });
    const file = media({ id: "77", url: null });
    await expect(openMedia(none.graph, "106", file, live())).rejects.toMatchObject(passing);

    const clock = fakeClock();
    await using slow = graphStub(
      () => {
        void clock.advance(callTimeoutMs);
        return new Promise(() => {});
      },
      { clock },
    );
    const opened = openMedia(slow.graph, "106", file, live());
    await expect(opened).rejects.toMatchObject(final("timeout"));
  });
});
