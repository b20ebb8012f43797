import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TurnAttachment } from "../../src/agent/agent.ts";
import { silentLog, type Logger } from "../../src/telemetry/log.ts";
import { completion, providerStandIn, type SeenCall } from "./provider-stand-in.ts";
import { rejection } from "../support/rejection.ts";
import { message, turn } from "../support/turn.ts";

const never = new AbortController().signal;
const provider = providerStandIn();
beforeEach(provider.reset);
const folder = mkdtempSync(join(tmpdir(), "revka-model-"));
afterAll(async () => {
  await provider.stop();
  rmSync(folder, { recursive: true });
});

describe("pictures", () => {
  const jpeg = join(folder, "photo.jpg");
  writeFileSync(jpeg, new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 1, 2]));
  const large = join(folder, "large.jpg");
  // Anthropic takes 5 MiB of base 64.
  const most = 5 * 1024 * 1024;
  const photo = (bytes: number) =>
    Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(bytes - 3)]);
  writeFileSync(large, photo((most * 3) / 4 + 1));
  const html = join(folder, "page.jpg");
  writeFileSync(html, "<html>");
  const image = (path: string | null): TurnAttachment => ({
    kind: "image",
    mime_type: "image/jpeg",
    filename: null,
    size: 6,
    path,
  });
  const withImages = (...paths: (string | null)[]) =>
    turn({ messages: [message({ text: "what is this?", attachments: paths.map(image) })] });
  const data = "data:image/jpeg;base64,/9j/4AEC";

  test("are shown to the model", async () => {
    await (await provider.model()).run(withImages(jpeg), never);
    expect(provider.seen[0]?.body.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "[image] what is this?" },
          { type: "image_url", image_url: { url: data } },
        ],
      },
    ]);
  });

  test("go to anthropic in its own form", async () => {
    await (await provider.model({ default_provider: "anthropic" })).run(withImages(jpeg), never);
    expect(JSON.stringify(provider.seen[0]?.body.messages)).toContain(
      '"source":{"type":"base64","media_type":"image/jpeg","data":"/9j/4AEC"}',
    );
  });

  test("as large as providers take them are shown", async () => {
    const largest = join(folder, "largest.jpg");
    writeFileSync(largest, photo((most * 3) / 4));
    await (await provider.model({ default_provider: "anthropic" })).run(withImages(largest), never);
    const shown = /"data":"([^"]*)"/.exec(JSON.stringify(provider.seen[0]?.body.messages))?.[1];
    expect(shown).toHaveLength(most);
  });

  test("too large, missing or none at all are only named", async () => {
    await (
      await provider.model()
    ).run(withImages(large, null, html, join(folder, "gone.jpg")), never);
    expect(provider.seen[0]?.body.messages).toEqual([
      {
        role: "user",
        content:
          "[image, not available] [image, not available] [image, not available] [image, not available] what is this?",
      },
    ]);
  });

  test("are at most four, the latest", async () => {
    const paths = [1, 2, 3, 4, 5].map((n) => {
      const path = join(folder, `${n}.jpg`);
      writeFileSync(path, new Uint8Array([0xff, 0xd8, 0xff, n]));
      return path;
    });
    await (await provider.model()).run(withImages(...paths), never);
    const content = provider.seen[0]?.body.messages[0]?.content;
    expect(JSON.stringify(content)).not.toContain("/9j/AQ==");
    expect(JSON.stringify(content)).toContain("[image, not available] [image] [image]");
    expect(content).toHaveLength(5);
  });

  test.each([400, 404, 413, 415, 422])(
    "are left out where status %d refuses them, once",
    async (status) => {
      provider.respond = ({ body }) =>
        JSON.stringify(body).includes("image_url")
          ? Response.json({ error: { message: "no image support" } }, { status })
          : completion("text alone");
      expect(await (await provider.model()).run(withImages(jpeg), never)).toEqual({
        parts: [{ kind: "text", text: "text alone" }],
      });
      expect(provider.seen).toHaveLength(2);
      // The model is not left to believe that it saw them.
      expect(provider.seen[1]?.body.messages).toEqual([
        { role: "user", content: "[image, not available] what is this?" },
      ]);
    },
  );

  const pictured = ({ body }: SeenCall) => JSON.stringify(body).includes("image_url");

  test("are left out where a server says under 500 that it takes none, and it is told once", async () => {
    const warned: unknown[] = [];
    const log: Logger = { ...silentLog, warn: (...line) => warned.push(line) };
    const agent = await provider.model({}, {}, log);
    const error = { code: 500, message: "image input is not supported", type: "server_error" };
    provider.respond = (call) =>
      pictured(call) ? Response.json({ error }, { status: 500 }) : completion("text alone");
    for (const turns of [1, 2]) {
      expect(await agent.run(withImages(jpeg), never)).toMatchObject({
        parts: [{ text: "text alone" }],
      });
      expect(provider.seen).toHaveLength(2 * turns);
    }
    expect(warned).toEqual([
      [
        { turn: turn().turn_id },
        "openai says that m-1 takes no pictures, so it is told of them in words alone: where it should see them, set default_model to one that does",
      ],
    ]);
  });

  test("that are refused for another reason are no reason to speak of the model", async () => {
    const warned: unknown[] = [];
    const agent = await provider.model(
      {},
      {},
      { ...silentLog, warn: (...line) => warned.push(line) },
    );
    const error = { message: "the image could not be read" };
    provider.respond = (call) =>
      pictured(call) ? Response.json({ error }, { status: 400 }) : completion("text alone");
    expect((await agent.run(withImages(jpeg), never)).parts).toHaveLength(1);
    expect(warned).toEqual([]);
  });

  test("are not left out because of other failures", async () => {
    for (const [at, body] of ["", '{"error":{"message":"image queue is full"}}'].entries()) {
      provider.respond = () => new Response(body, { status: 500 });
      const failure = await rejection((await provider.model()).run(withImages(jpeg), never));
      expect(failure).toMatchObject({ retryable: true });
      expect(provider.seen).toHaveLength(at + 1);
    }
  });

  test("that are refused twice fail as the second answer says, within the turn's time", async () => {
    provider.respond = (call) =>
      new Response('{"error":{"message":"no image support"}}', {
        status: pictured(call) ? 400 : 401,
      });
    expect(await rejection((await provider.model()).run(withImages(jpeg), never))).toMatchObject({
      retryable: false,
      detail: expect.stringContaining("401"),
    });
    const late = new AbortController();
    provider.respond = (call) => {
      if (pictured(call)) return new Response("", { status: 400 });
      late.abort(new DOMException("over", "TimeoutError"));
      return Promise.withResolvers<Response>().promise;
    };
    const over = await rejection((await provider.model()).run(withImages(jpeg), late.signal));
    expect(over).toMatchObject({ name: "TimeoutError" });
  });
});
