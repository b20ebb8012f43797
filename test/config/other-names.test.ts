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

test("a wrong value is told by the known name", () => {
  expect(complaints('model = 7\nmodel_provider = "ollama"\n')).toEqual([
    "config.toml:1: default_model: expected a string, found an integer",
  ]);
});
