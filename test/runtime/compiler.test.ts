import { expect, spyOn, test } from "bun:test";

/** One of its own: what other tests ran may have had work before. */
const fresh = "../../src/runtime/compiler.ts?fresh";

test("the engine is told once to compile as usual, however often work comes", async () => {
  const { compileWhatIsHot } = (await import(
    fresh
  )) as typeof import("../../src/runtime/compiler.ts");
  const told = spyOn(Bun.unsafe, "setJITPolicy");
  try {
    for (let message = 0; message < 3; message++) compileWhatIsHot();
    expect(told.mock.calls).toEqual([[1]]);
  } finally {
    told.mockRestore();
  }
});
