import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { ChannelReport } from "../../src/control/api.ts";
import { revka, widest } from "../support/command.ts";
import { commandTrial } from "../support/command-trial.ts";
import { statusReport, webReport } from "../support/status-report.ts";

const trial = commandTrial();

/** As much of a PNG image as tells that it is one. */
const photo = Buffer.from("\x89PNG\r\n\x1a\n a photo", "latin1");

const web = webReport();

const linking = (qr: string): ChannelReport => ({
  ...web,
  state: "linking",
  linked_as: null,
  linking: { qr, pair_code: null, expires_at: "2026-01-01T00:00:00.000Z" },
});

const pairing: ChannelReport = {
  ...linking(""),
  linking: { qr: null, pair_code: "ABCD1234", expires_at: "2026-01-01T00:00:00.000Z" },
};

/** A daemon that shows these one after the other, the last for ever; `seen` hears which was asked for. */
async function daemon(shown: ChannelReport[], seen: (at: number) => void = () => {}) {
  let asked = 0;
  await trial.daemon({
    async status() {
      const at = Math.min(asked++, shown.length - 1);
      seen(at);
      const channel = shown[at];
      return statusReport({ variant: "whatsapp-web", channels: channel ? [channel] : [] });
    },
  });
}

test("draws each new code until the phone took one, and asks for no relink", async () => {
  await daemon([linking("2@first"), linking("2@first"), linking("2@second"), web]);
  const { code, out } = await revka(["link", "--wait", "20"], trial.env);
  expect(code).toBe(0);
  expect(out.match(/Scan this/g)).toHaveLength(2);
  expect(out).toContain("Linked as +15550001111");
  expect(widest(out)).toBeLessThanOrEqual(80);
  expect(out).not.toContain("\u001b");
});

test.each([
  [56, "Make it wider, or write the code to an image: revka link --png FILE", false],
  [57, "█", true],
  [0, "█", true],
])("a code that a terminal of %d columns would wrap is not drawn", async (columns, seen, drawn) => {
  for (const name of ["link", "status"]) {
    await daemon([linking(`2@${"A".repeat(232)}`)]);
    const { out } = await revka([name], trial.env, { columns });
    expect(out).toContain(seen);
    expect(out.includes("█")).toBe(drawn);
    await trial.undo.pop()?.();
  }
});

test("keeps the current code in a PNG that only its owner may read, and removes it at the end", async () => {
  const png = join(trial.home, "code.png");
  const files: Buffer[] = [];
  await daemon([linking("2@first"), linking("2@first"), linking("2@second"), web], (at) => {
    if (!existsSync(png)) return;
    expect(statSync(png).mode & 0o777).toBe(0o600);
    files[at] = readFileSync(png);
  });
  const { code, out } = await revka(["link", "--png", png], trial.env);
  expect(code).toBe(0);
  expect(out).toContain(`The code is in ${png}`);
  expect(out).not.toMatch(/[█▀▄]/);
  expect(files[2]?.subarray(1, 4).toString()).toBe("PNG");
  expect(files[3]?.equals(files[2] ?? Buffer.alloc(0))).toBe(false);
  expect(existsSync(png)).toBe(false);
});

test("removes it also where a pair code came after the QR code", async () => {
  const png = join(trial.home, "code.png");
  let there = false;
  await daemon([linking("2@first"), pairing, web], () => void (there ||= existsSync(png)));
  const { code, out } = await revka(["link", "--png", png], trial.env);
  expect(code).toBe(0);
  expect(out).toContain("ABCD-1234");
  expect(there).toBe(true);
  expect(existsSync(png)).toBe(false);
});

test.each([
  ["is gone already", () => {}, ""],
  ["cannot be removed", (png: string) => void mkdirSync(png), "could not be removed: remove it"],
])(
  "a PNG that %s: told where somebody could still scan it, and only there",
  async (_, instead, words) => {
    const png = join(trial.home, "code.png");
    await daemon([linking("2@first"), web], (at) => {
      if (at === 0) return;
      rmSync(png);
      instead(png);
    });
    const { code, err } = await revka(["link", "--png", png], trial.env);
    expect(code).toBe(0);
    if (words === "") expect(err).toBe("");
    else expect(err).toContain(`${png} ${words}`);
  },
);

test("leaves what lay at the PNG's place where a pair code alone was shown", async () => {
  const png = join(trial.home, "photo.png");
  writeFileSync(png, photo);
  await daemon([pairing, web]);
  const { code, out } = await revka(["link", "--png", png], trial.env);
  expect(code).toBe(0);
  expect(out).toContain("ABCD-1234");
  expect(readFileSync(png)).toEqual(photo);
});

test.each<[string, string, (path: string) => void]>(
  ["link", "relink"].flatMap((name) => [
    [name, "a text", (path) => writeFileSync(path, "my notes")],
    [name, "another image", (path) => writeFileSync(path, photo.subarray(1))],
    [name, "a pipe", (path) => void Bun.spawnSync(["mkfifo", path])],
  ]),
)(
  "%s --png overwrites no file but a PNG image, before anything happens: %s",
  async (name, _, lay) => {
    const calls = await trial.daemon({});
    const path = join(trial.home, "notes.txt");
    lay(path);
    const before = statSync(path);
    const { code, err } = await revka([name, "--png", path], trial.env);
    expect({ code, err }).toEqual({
      code: 1,
      err: `revka: ${path} is there already and is no PNG image: name another file, or move it away\n`,
    });
    const { ino, size, mtimeMs } = statSync(path);
    expect({ ino, size, mtimeMs }).toEqual({
      ino: before.ino,
      size: before.size,
      mtimeMs: before.mtimeMs,
    });
    expect(calls).toEqual([]);
  },
);

test.each([
  ["a code that was left behind", photo],
  ["a file with nothing in it", Buffer.alloc(0)],
])("%s is overwritten", async (_, before) => {
  const png = join(trial.home, "code.png");
  writeFileSync(png, before);
  await daemon([linking("2@only")]);
  expect((await revka(["link", "--wait", "0", "--png", png], trial.env)).code).toBe(0);
  expect(readFileSync(png).length).toBeGreaterThan(photo.length);
});

test.each(["link", "relink"])(
  "%s asks nothing of the daemon where the PNG has no place to go",
  async (name) => {
    let asked = 0;
    await trial.daemon({
      async status() {
        asked++;
        return statusReport({ variant: "whatsapp-web", channels: [linking("2@first")] });
      },
      async relink() {
        asked++;
      },
    });
    const png = join(trial.home, "none", "code.png");
    const { code, err } = await revka([name, "--png", png, "--wait", "1"], trial.env);
    expect({ code, err }).toEqual({
      code: 1,
      err: `revka: the code cannot be written to ${png} (its folder is not there): name another file\n`,
    });
    expect(asked).toBe(0);
  },
);

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s ends it, and leaves no PNG behind",
  async (signal) => {
    const png = join(trial.home, "code.png");
    const before = process.listenerCount(signal);
    let there = false;
    await daemon([linking("2@first"), linking("2@first")], (at) => {
      if (at === 0) return;
      there ||= existsSync(png);
      process.emit(signal);
    });
    expect(await revka(["link", "--png", png], trial.env)).toMatchObject({
      code: 1,
      err: "Stopped; `revka link` shows the current code.\n",
    });
    expect(there).toBe(true);
    expect(existsSync(png)).toBe(false);
    expect(process.listenerCount(signal)).toBe(before);
  },
);

test("what lay at the PNG's place is left where no code came, and a place that cannot be written is told", async () => {
  const png = join(trial.home, "photo.png");
  writeFileSync(png, photo);
  await daemon([{ ...web, state: "logged_out", linked_as: null }]);
  expect((await revka(["link", "--png", png], trial.env)).code).toBe(1);
  expect(readFileSync(png)).toEqual(photo);
  await trial.undo.pop()?.();
  await daemon([linking("2@first")]);
  const nowhere = join(trial.home, "folder");
  mkdirSync(nowhere);
  const { code, err } = await revka(["link", "--png", nowhere], trial.env);
  expect(code).toBe(1);
  expect(err).toBe(
    `revka: the code cannot be written to ${nowhere} (it is a folder): name another file\n`,
  );
  expect(readdirSync(trial.home)).not.toContain("folder.part");
});

test("without a terminal shows the code once", async () => {
  await daemon([{ ...web, state: "connecting", linked_as: null }, linking("2@only")]);
  const { code, out } = await revka(["link"], trial.env);
  expect(code).toBe(0);
  expect(out.match(/Scan this/g)).toHaveLength(1);
  const png = join(trial.home, "code.png");
  expect((await revka(["link", "--wait", "0", "--png", png], trial.env)).code).toBe(0);
  expect(existsSync(png)).toBe(true);
});

test("its help says how long it waits for a code that it shows once", async () => {
  const { out } = await revka(["link", "--help"], trial.env);
  expect(out.replace(/\s+/g, " ")).toContain("it shows one code, and waits at most 20 s for that");
});

test("says why there is nothing to link, and ends with 1", async () => {
  await daemon([{ ...web, state: "logged_out", reason: "Link again with `revka relink`" }]);
  const { code, err } = await revka(["link"], trial.env);
  expect(code).toBe(1);
  expect(err).toContain("revka relink");
});

test("a phone that takes nothing ends it with 1; what keeps it from linking is said once", async () => {
  const waiting = (secs: number): ChannelReport => ({
    ...{ ...web, state: "disconnected", linked_as: null },
    reason: `WhatsApp is not available at the moment (503); next try in ${secs} s`,
  });
  let asked = 0;
  await daemon([waiting(3), waiting(2), linking("2@only")], () => void asked++);
  const { code, err } = await revka(["link", "--wait", "1"], trial.env);
  expect(code).toBe(1);
  expect(err.match(/503/g)).toHaveLength(1);
  expect(err).toContain("took no code in time");
  // A question every quarter of a second, and no more.
  expect(asked).toBeLessThan(10);
});

test("what WhatsApp says moves no cursor", async () => {
  const down: ChannelReport = { ...web, state: "disconnected", reason: "gone\u001b[2J" };
  await daemon([down, { ...web, linked_as: "+1555\u001b[2J" }]);
  const { code, out, err } = await revka(["link", "--wait", "20"], trial.env);
  expect(code).toBe(0);
  expect(err).toBe("Not connected: gone\\u001b[2J\n");
  expect(out).toBe("Linked as +1555\\u001b[2J.\n");
});

test("where no code comes, it says so and where to look", async () => {
  await daemon([{ ...web, state: "connecting", linked_as: null }]);
  const { code, err } = await revka(["link", "--wait", "1"], trial.env);
  expect(code).toBe(1);
  expect(err).toContain("no code in time; `revka status` says");
});

test("without WhatsApp Web there is nothing to link", async () => {
  await daemon([{ ...web, backend: "cloud" }]);
  const { code, err } = await revka(["link"], trial.env);
  expect(code).toBe(1);
  expect(err).toContain("no WhatsApp Web channel is running");
  expect((await revka(["link", "--wait", "soon"], trial.env)).code).toBe(2);
});
