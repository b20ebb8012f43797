import { afterAll, expect, test } from "bun:test";
import { complaints, load, removeFolder, warnings } from "./support.ts";

afterAll(removeFolder);

const other = 'model_provider = "ollama"\nmodel = "llama"\n';

test("the original's other names of provider and model count", () => {
  expect(load(other).config).toMatchObject({
    default_provider: "ollama",
    default_model: "llama",
  });
  expect(warnings(other)).toEqual([]);
});

test("beside the known name the other is a key without effect", () => {
  const both = `default_provider = "groq"\n${other}`;
  expect(load(both).config.default_provider).toBe("groq");
  expect(warnings(both)).toEqual(["config.toml:2: model_provider: unknown key, ignored"]);
});

test("a blank known name is none", () => {
  expect(load(`default_provider = ""\n${other}`).config.default_provider).toBe("ollama");
});

test("what is wrong is told by the name that stands in the file, and its line", () => {
  expect(complaints('model = "llama"\n\nmodel_provider = "nonsense"\n')).toEqual([
    expect.stringContaining("config.toml:3: model_provider: "),
  ]);
});

test("a value that is no name is another key", () => {
  expect(warnings('[agent]\nkind = "echo"\n[model]\nsize = 7\n')).toEqual([
    "config.toml:3: model: a section that means nothing here, ignored",
  ]);
});
