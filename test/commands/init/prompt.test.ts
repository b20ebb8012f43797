import { expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import { PromptEnded, terminalPrompt } from "../../../src/commands/init/prompt.ts";
import { Screen } from "../../support/screen.ts";

function person() {
  const input = new PassThrough();
  const seen: string[] = [];
  const prompt = terminalPrompt({
    out: () => {},
    err: (text) => void seen.push(text),
    input,
    interactive: true,
    color: false,
  });
  return { prompt, seen: () => seen.join(""), type: (text: string) => input.write(text), input };
}

function shown(text: string): string[] {
  const screen = new Screen(80);
  screen.write(text.replaceAll(/\r?\n/g, "\r\n"));
  return screen.lines;
}

test("a slip of the finger is mended in its line, behind the question", async () => {
  const { prompt, seen, type } = person();
  const asked = prompt.ask({ text: "Name" });
  for (const key of ["a", "x", "\u007f", "da", "\u001b[D", "\u001b[D", "\u001b[D", "L", "\r"])
    type(key);
  expect(await asked).toBe("Lada");
  expect(shown(seen())).toEqual(["Name: Lada"]);
  prompt.close();
});

test("what is typed at a plain question is seen, at a secret one not", async () => {
  const { prompt, seen, type } = person();
  const plain = prompt.ask({ text: "Name" });
  type("ada");
  type("\r");
  expect(await plain).toBe("ada");
  expect(shown(seen())).toEqual(["Name: ada"]);
  const secret = prompt.ask({ text: "Token", secret: true });
  type("s3c");
  type("ret\r");
  expect(await secret).toBe("s3cret");
  expect(seen()).not.toMatch(/s3c|ret/);
  prompt.close();
});

test("what is pasted ahead stays hidden until a plain question takes it", async () => {
  const { prompt, seen, type } = person();
  const first = prompt.ask({ text: "Name" });
  type("ada\rs3cret\rmore\r");
  expect(await first).toBe("ada");
  expect(await prompt.ask({ text: "Token", secret: true })).toBe("s3cret");
  expect(seen()).not.toContain("more");
  expect(await prompt.ask({ text: "Then" })).toBe("more");
  expect(seen()).toContain("more");
  expect(seen()).not.toContain("s3cret");
  prompt.close();
});

test("Enter takes the fallback; a wrong answer is asked again with its reason", async () => {
  const { prompt, seen, type } = person();
  type("\r");
  expect(await prompt.ask({ text: "File", fallback: "~/x" })).toBe("~/x");
  expect(seen()).toContain("File [~/x]: ");
  type("no\ryes\r");
  const check = (answer: string) => (answer === "yes" ? null : "only yes will do");
  expect(await prompt.ask({ text: "Sure", check })).toBe("yes");
  expect(seen()).toContain("  only yes will do\n");
  prompt.close();
});

test.each([
  ["the end of the input", (input: PassThrough) => void input.end()],
  ["Ctrl-C", (input: PassThrough) => void input.write("\u0003")],
])("%s ends it", async (_, end) => {
  const { prompt, input } = person();
  const asked = prompt.ask({ text: "Name" });
  end(input);
  await expect(asked).rejects.toBeInstanceOf(PromptEnded);
});
