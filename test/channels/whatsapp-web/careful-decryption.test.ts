import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { SessionCipher } from "libsignal";
import { decryptCarefully } from "../../../src/channels/whatsapp-web/careful-decryption.ts";

decryptCarefully();

/** A session whose state is a list of what was tried on it. */
class Entry {
  indexInfo = { used: 0 };
  pendingPreKey?: object;
  constructor(
    readonly name: string,
    public tried: string[] = [],
  ) {}
  serialize() {
    return structuredClone({ ...this });
  }
  static deserialize(data: Entry): Entry {
    return Object.assign(new Entry(data.name), data);
  }
}

const run = (fits: string, sessions: Entry[], error = new Error("Bad MAC")) =>
  Reflect.get(SessionCipher.prototype, "decryptWithSessions").call(
    {
      async doDecryptWhisperMessage(ciphertext: Buffer, session: Entry) {
        session.tried.push(ciphertext.toString());
        if (session.name !== fits) throw error;
        delete session.pendingPreKey;
        return Buffer.from("plaintext");
      },
    },
    Buffer.from("ciphertext"),
    sessions,
  );

test("a session tried in vain stays as it was; the one that fits is moved on", async () => {
  const [a, b] = [new Entry("a"), new Entry("b")];
  b.pendingPreKey = {};
  const { session, plaintext } = await run("b", [a, b]);
  expect(String(plaintext)).toBe("plaintext");
  expect(session).toBe(b);
  expect(a.tried).toEqual([]);
  expect(b.tried).toEqual(["ciphertext"]);
  expect("pendingPreKey" in b).toBe(false);
  expect(b.indexInfo.used).toBeGreaterThan(0);
});

test("where none fits, none is touched", async () => {
  const [a, b] = [new Entry("a"), new Entry("b")];
  await expect(run("c", [a, b])).rejects.toThrow("No matching sessions");
  expect([...a.tried, ...b.tried]).toEqual([]);
  await expect(run("c", [])).rejects.toThrow("No sessions available");
});

test("a ciphertext read before is told from one nobody can read", async () => {
  const used = Object.assign(new Error("Key used already or never filled"), {
    name: "MessageCounterError",
  });
  await expect(run("c", [new Entry("a")], used)).rejects.toThrow("Key used already");
});

test("whoever opens a socket reads so", () => {
  // In a process of its own: in this one it is so since the top of this file.
  const program = `
    import { SessionCipher } from "libsignal";
    import { Traffic } from "./traffic-harness.ts";
    const installed = () => SessionCipher.prototype.decryptWithSessions;
    const theirs = installed();
    const traffic = await Traffic.start();
    console.log(installed() === theirs ? "theirs" : "ours");
    await traffic.stop();
    process.exit();`;
  const child = spawnSync(process.execPath, ["-e", program], {
    cwd: import.meta.dir,
    encoding: "utf8",
  });
  expect(child).toMatchObject({ stdout: "ours\n", stderr: "" });
});
