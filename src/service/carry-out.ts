import { spawn } from "node:child_process";
import { chmodSync, lchownSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ServiceRefusal, type ServicePlan, type ServiceStep } from "./plan.ts";

/** Runs one step with this terminal's streams; resolves with its exit code, null where it cannot be started. */
export type RunStep = (command: readonly [string, ...string[]]) => Promise<number | null>;

/**
 * Does what a plan says, in its order. Resolves with the exit code of the last step (0 without any), with 1 where the
 * daemon that it started is not up in time, as `isUp` says. Throws {@link ServiceRefusal} where a file cannot be written
 * or a step fails that others depend on.
 */
export async function carryOut(
  plan: ServicePlan,
  run: RunStep = runStep,
  owner: { uid: number; gid: number } | null = null,
  isUp: () => Promise<boolean> = async () => true,
): Promise<number> {
  for (const step of plan.before) await must(step, run);
  try {
    for (const { path, mode } of plan.folders) {
      makeAbove(path, owner !== null);
      const made = mkdirSync(path, { recursive: true, mode });
      // A link that the account puts in its place meanwhile is not followed: root would give away where it leads.
      if (made !== undefined && owner) lchownSync(path, owner.uid, owner.gid);
    }
    for (const file of plan.files) {
      mkdirSync(dirname(file.path), { recursive: true });
      // Beside it and renamed, so that a service manager never reads half a file.
      const beside = `${file.path}.new`;
      writeFileSync(beside, file.content, { mode: file.mode });
      chmodSync(beside, file.mode);
      renameSync(beside, file.path);
    }
    for (const path of plan.remove) rmSync(path, { force: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServiceRefusal(`${reason}; a system service needs root (sudo), or use --user`);
  }
  let code = 0;
  for (const [index, step] of plan.after.entries()) {
    const last = index === plan.after.length - 1;
    if (last) code = (await run(step.command)) ?? missing(step);
    else await must(step, run);
  }
  if (code === 0 && plan.waits && !(await isUp())) code = 1;
  if (code !== 0) for (const step of plan.trouble) await run(step.command);
  return code;
}

/** Whoever owns a folder must get to it: those above it are not as closed, not even where this process' umask would. */
function makeAbove(path: string, forAnother: boolean): void {
  const mask = forAnother ? process.umask(0o022) : null;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  } finally {
    if (mask !== null) process.umask(mask);
  }
}

async function must(step: ServiceStep, run: RunStep): Promise<void> {
  const code = await run(step.command);
  if (code === 0 || step.optional) return;
  if (code === null) missing(step);
  throw new ServiceRefusal(`\`${step.command.join(" ")}\` failed (exit ${code})`);
}

function missing(step: ServiceStep): never {
  throw new ServiceRefusal(`${step.command[0]} cannot be started: is it installed?`);
}

function runStep([program, ...args]: readonly [string, ...string[]]): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "inherit" });
    child.on("error", () => resolve(null));
    child.on("close", (code) => resolve(code ?? 1));
  });
}
