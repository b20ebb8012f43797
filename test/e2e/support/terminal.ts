import { fileURLToPath } from "node:url";
import { Screen } from "../../support/screen.ts";

const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

export interface AtTerminal {
  pid: number;
  /** What the person sees. */
  screen: Screen;
  /** Keys, as they are pressed or pasted. */
  type(keys: string): void;
  /** Resolves as soon as the screen is so; rejects where the command ends first or ten seconds are over. */
  until(seen: (lines: string[]) => boolean): Promise<void>;
  /** The window is closed. */
  hangUp(): void;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, once all that it said is on the screen. */
  exited: Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Runs a command of Revka at a terminal of 80 columns, with nothing of this environment but PATH. */
export function atTerminal(words: string[], env: Record<string, string>): AtTerminal {
  const binary = process.env["REVKA_BINARY"];
  const command = binary ? [binary] : [process.execPath, main];
  const screen = new Screen(80);
  const decoder = new TextDecoder();
  const waiting = new Set<() => void>();
  const allSaid = Promise.withResolvers<void>();
  const child = Bun.spawn([...command, ...words], {
    env: { PATH: process.env["PATH"], TERM: "xterm-256color", ...env },
    terminal: {
      cols: screen.columns,
      rows: 24,
      data(_, bytes) {
        screen.write(decoder.decode(bytes, { stream: true }));
        for (const look of waiting) look();
      },
      exit: () => allSaid.resolve(),
    },
  });
  const exited = allSaid.promise.then(() => child.exited);
  const { terminal } = child;
  if (!terminal) throw new Error("this machine has no terminal to give");
  return {
    pid: child.pid,
    screen,
    type: (keys) => void terminal.write(keys),
    async until(seen) {
      const shown = Promise.withResolvers<void>();
      const fail = (why: string) => () =>
        shown.reject(new Error(`${why}, and the screen shows\n${screen.lines.join("\n")}`));
      const timer = setTimeout(fail("ten seconds are over"), 10_000);
      void exited.then(fail("the command has ended"));
      const look = () => {
        if (seen(screen.lines)) shown.resolve();
      };
      waiting.add(look);
      look();
      try {
        await shown.promise;
      } finally {
        waiting.delete(look);
        clearTimeout(timer);
      }
    },
    hangUp: () => terminal.close(),
    kill: (signal) => child.kill(signal),
    exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      terminal.close();
    },
  };
}
