// Drives sprited with the published JavaScript SDK: node flow.mjs <module> <base URL> <token>
// One line per step; the first that does not hold ends the program with 1.
import assert from "node:assert/strict";

const [module, baseURL, token] = process.argv.slice(2);
const { SpritesClient } = await import(module);
const client = new SpritesClient(token, { baseURL });
const name = `js-${Date.now()}`;
let sprite;
let files;
let first;
let count = 0;

async function step(what, work) {
  try {
    await work();
  } catch (error) {
    console.error(`not ok: ${what}\n`, error);
    process.exit(1);
  }
  count += 1;
  console.log(`ok ${count} ${what}`);
}

function run(file, args, options) {
  return sprite.execFile(file, args, options);
}

async function collect(command) {
  let text = "";
  command.stdout.on("data", (data) => (text += data));
  const code = await command.wait();
  return { code, text };
}

await step("create", async () => {
  sprite = await client.createSprite(name);
  assert.equal(sprite.name, name);
});
await step("get", async () => assert.equal((await client.getSprite(name)).name, name));
await step("list", async () => {
  const { sprites } = await client.listSprites({ prefix: name });
  assert.deepEqual(sprites.map((one) => one.name), [name]);
});
await step("a second one of the name is refused", () => assert.rejects(client.createSprite(name)));
await step("exec", async () => assert.equal((await run("echo", ["hello"])).stdout, "hello\n"));
await step("exec with an exit code", () =>
  assert.rejects(run("sh", ["-c", "exit 7"]), (error) => error.exitCode === 7));
await step("both streams", async () => {
  const { stdout, stderr } = await run("sh", ["-c", "echo out; echo err >&2"]);
  assert.deepEqual([stdout, stderr], ["out\n", "err\n"]);
});
await step("environment", async () => {
  const { stdout } = await run("sh", ["-c", "echo $A; env | grep -c ^PATH="], { env: { A: "x y" } });
  assert.equal(stdout, "x y\n1\n");
});
await step("directory", async () => {
  assert.equal((await run("pwd", [], { cwd: "/tmp" })).stdout, "/tmp\n");
  assert.match((await run("pwd", [])).stdout, /\/home/);
});
await step("input", async () => {
  const command = sprite.spawn("cat");
  command.once("spawn", () => command.stdin.end("typed"));
  assert.deepEqual(await collect(command), { code: 0, text: "typed" });
});
await step("three megabytes", async () => {
  const { code, text } = await collect(sprite.spawn("head", ["-c", "3000000", "/dev/zero"]));
  assert.deepEqual([code, text.length], [0, 3_000_000]);
});
await step("a missing program", () =>
  assert.rejects(run("no-such-program", []), (error) => error.exitCode === 127));
await step("terminal size", async () => {
  const command = sprite.spawn("stty", ["size"], { tty: true, rows: 30, cols: 100 });
  assert.match((await collect(command)).text, /30 100/);
});
await step("a terminal that ends badly", async () => {
  const { code } = await collect(sprite.spawn("sh", ["-c", "exit 3"], { tty: true }));
  assert.notEqual(code, 0);
});
await step("sessions: made, listed, attached, killed", async () => {
  const command = sprite.createSession("sh", ["-c", "echo ready; exec sleep 1000"]);
  await new Promise((resolve) => command.stdout.once("data", resolve));
  const [session] = await sprite.listSessions();
  assert.match(session.command, /sleep 1000/);
  const again = sprite.attachSession(session.id);
  const said = new Promise((resolve) => again.stdout.once("data", (data) => resolve(String(data))));
  assert.match(await said, /ready/);
  const events = [];
  for await (const event of await sprite.killSession(session.id, "SIGKILL", "5s")) events.push(event.type);
  assert.equal(events.at(-1), "complete");
  assert.deepEqual(await sprite.listSessions(), []);
});
await step("write", async () => {
  files = sprite.filesystem("/home/sprite");
  await files.writeFile("a.txt", "one");
});
await step("read", async () => assert.equal(await files.readFile("a.txt", "utf8"), "one"));
await step("stat", async () => {
  const stat = await files.stat("a.txt");
  assert.deepEqual([stat.size, stat.isFile()], [3, true]);
});
await step("make a directory", () => files.mkdir("deep/er", { recursive: true }));
await step("list an empty and a full directory", async () => {
  assert.deepEqual(await files.readdir("deep/er"), []);
  assert.ok((await files.readdir(".")).includes("a.txt"));
});
await step("copy", async () => {
  await files.copyFile("a.txt", "deep/b.txt");
  assert.equal((await run("cat", ["deep/b.txt"])).stdout, "one");
});
await step("rename", async () => {
  await files.rename("deep/b.txt", "deep/c.txt");
  assert.deepEqual((await files.readdir("deep")).sort(), ["c.txt", "er"]);
});
await step("change the mode", async () => {
  await files.chmod("a.txt", 0o750);
  assert.equal((await run("stat", ["-c", "%a", "a.txt"])).stdout, "750\n");
});
await step("remove", async () => {
  await files.rm("deep", { recursive: true });
  assert.ok(!(await files.readdir(".")).includes("deep"));
});
await step("a file that is not there", () =>
  assert.rejects(files.readFile("none.txt"), (error) => error.code === "ENOENT"));
await step("policy: set and read", async () => {
  const rules = [{ domain: "example.com", action: "allow" }, { domain: "*", action: "deny" }];
  await sprite.updateNetworkPolicy({ rules });
  assert.deepEqual((await sprite.getNetworkPolicy()).rules, rules);
});
await step("policy: back to none", async () => {
  await sprite.updateNetworkPolicy({ rules: [] });
  assert.deepEqual((await sprite.getNetworkPolicy()).rules, []);
});
await step("make a checkpoint", async () => {
  const events = [];
  for await (const event of await sprite.createCheckpoint("before")) events.push(event);
  assert.equal(events.at(-1).type, "complete");
  [first] = await sprite.listCheckpoints();
  assert.equal(first.comment, "before");
  assert.equal((await sprite.getCheckpoint(first.id)).id, first.id);
});
await step("restore it", async () => {
  await files.writeFile("a.txt", "two");
  const events = [];
  for await (const event of await sprite.restoreCheckpoint(first.id)) events.push(event);
  assert.equal(events.at(-1).type, "complete");
  assert.equal(await files.readFile("a.txt", "utf8"), "one");
});
await step("a service", async () => {
  const stream = await sprite.createService("web", { cmd: "sleep", args: ["1000"], needs: [] }, "1s");
  await stream.processAll(() => {});
  assert.equal((await sprite.getService("web")).state.status, "running");
  await (await sprite.stopService("web", "5s")).processAll(() => {});
  await sprite.deleteService("web");
  assert.deepEqual(await sprite.listServices(), []);
});
await step("destroy", async () => {
  await sprite.destroy();
  await assert.rejects(client.getSprite(name));
});
process.exit(0);
