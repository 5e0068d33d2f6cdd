// Starts the stand-ins and the server before the tests and ends both after them. The server is started like a
// person's first: an empty directory and no configuration but a port.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";
import { SETTINGS } from "./settings";

const PATIENCE = 30_000;

export default async function start() {
  await rm(SETTINGS.screenshots, { recursive: true, force: true });
  await mkdir(SETTINGS.output, { recursive: true });
  const data = await mkdtemp(path.join(tmpdir(), "nitejar-e2e-"));
  const outside = spawn(SETTINGS.outside, { stdio: ["pipe", "pipe", "inherit"] });
  const addresses = await firstLine(outside);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = serve(data, port);
  const stop = async () => {
    await end(server);
    await end(outside);
    await rm(data, { recursive: true, force: true });
  };
  try {
    await ready(server, url);
    const link = (await readFile(path.join(data, "setup.link"), "utf8")).trim();
    // The workers that run the tests are started after this and inherit it.
    Object.assign(process.env, {
      E2E_URL: url,
      E2E_OUTSIDE_ADDRESSES: addresses,
      E2E_SETUP_LINK: link,
      E2E_DATA: data,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

function serve(data: string, port: number): ChildProcess {
  const server = spawn(SETTINGS.server, ["serve"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: data,
      HOST: "127.0.0.1",
      PORT: String(port),
      DATA_DIR: data,
      SANDBOX_MIN_TIER: "plain",
    },
  });
  const log = createWriteStream(path.join(SETTINGS.output, "server.log"));
  server.stdout?.pipe(log);
  server.stderr?.pipe(log);
  return server;
}

async function ready(server: ChildProcess, url: string) {
  const until = Date.now() + PATIENCE;
  while (Date.now() < until) {
    if (server.exitCode !== null) break;
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await after(20);
  }
  const log = await readFile(path.join(SETTINGS.output, "server.log"), "utf8");
  throw new Error(`the server is not ready; the last it said: ${log.trim().split("\n").at(-1)}`);
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("the stand-ins have no output");
  const lines = createInterface(child.stdout);
  const [line] = await once(lines, "line", { signal: AbortSignal.timeout(PATIENCE) });
  return String(line);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function end(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.stdin?.end();
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await gone;
  clearTimeout(late);
}
