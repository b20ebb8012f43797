import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cloud, complaints, echo, folder, load, removeFolder, web } from "./support.ts";

afterAll(removeFolder);

/** The environment of a service that was handed these credentials. */
function handedOver(files: Record<string, string>, env: Record<string, string> = {}) {
  load(echo);
  const place = mkdtempSync(join(folder, "credentials-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content);
  return { env: { CREDENTIALS_DIRECTORY: place, ...env } };
}

describe("systemd's credentials", () => {
  const token = { "revka-whatsapp-access-token": "of-the-credential\n" };
  const secret = { "revka-whatsapp-app-secret": "handed" };

  test("stand for missing keys, win over the file, and are secrets", () => {
    const { config, secrets } = load(
      `${cloud}app_secret = "of-the-file"\n`,
      handedOver({ ...token, ...secret }),
    );
    expect(config.channels_config.whatsapp).toMatchObject({
      access_token: "of-the-credential",
      app_secret: "handed",
    });
    expect(secrets).toContain("of-the-credential");
    expect(secrets).toContain("handed");
  });

  test("give way to an environment variable", () => {
    const { config } = load(
      cloud,
      handedOver(secret, { REVKA_WHATSAPP_APP_SECRET: "of-the-variable" }),
    );
    expect(config.channels_config.whatsapp?.app_secret).toBe("of-the-variable");
  });

  test("switch nothing on", () => {
    const { config } = load(echo, handedOver({ ...token, "revka-wati-api-token": "abcd" }));
    expect(config.channels_config.whatsapp).toBeUndefined();
    expect(config.channels_config.wati).toBeUndefined();
  });

  test("that are empty stop it, by name", () => {
    const files = handedOver({ "revka-whatsapp-access-token": "" });
    expect(complaints(cloud, files)).toEqual([
      expect.stringMatching(/^credential: revka-whatsapp-access-token: .* is empty$/),
    ]);
  });

  test("that no key stands for are not looked at: the channel reads its own", () => {
    expect(complaints(web, handedOver({ "revka-session-key": "" }))).toEqual([]);
  });
});
