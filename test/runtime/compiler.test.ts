import { expect, spyOn, test } from "bun:test";
import { compileWhatIsHot } from "../../src/runtime/compiler.ts";

test("the engine is told once to compile as usual, however often work comes", () => {
  const told = spyOn(Bun.unsafe, "setJITPolicy");
  for (let message = 0; message < 3; message++) compileWhatIsHot();
  expect(told.mock.calls).toEqual([[1]]);
  told.mockRestore();
});
