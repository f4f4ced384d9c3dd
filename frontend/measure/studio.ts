import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { expect } from "@playwright/test";

/** A studio on a port of its own that can die, and start again with the data it had. */
export class MortalStudio {
  private process: ChildProcess | null = null;

  constructor(
    private readonly folder: string,
    private readonly port: string,
    private readonly python: string,
  ) {}

  async start(): Promise<void> {
    const before = this.starts();
    const log = openSync(`${this.folder}/studio.log`, "a");
    const data = ["--data-dir", `${this.folder}/data`, "--port", this.port];
    const options = { cwd: "..", stdio: ["ignore", log, log] } satisfies Parameters<typeof spawn>[2];
    this.process = spawn(this.python, ["manage.py", "studio", ...data], options);
    await expect.poll(() => this.starts(), { timeout: 240_000 }).toBeGreaterThan(before);
  }

  /** The launcher and all of its processes, which have groups of their own. */
  async kill(): Promise<void> {
    const launcher = this.process;
    if (!launcher?.pid) return;
    const rows = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
    const parents = rows.map((line) => line.trim().split(/\s+/).map(Number));
    const family = [launcher.pid];
    for (const parent of family)
      for (const [pid = 0, above] of parents) if (above === parent && !family.includes(pid)) family.push(pid);
    const gone = new Promise((resolve) => launcher.once("exit", resolve));
    for (const pid of family) process.kill(pid, "SIGKILL");
    await gone;
  }

  private starts(): number {
    const path = `${this.folder}/studio.log`;
    return (existsSync(path) ? readFileSync(path, "utf8") : "").split("ready. API").length;
  }
}
