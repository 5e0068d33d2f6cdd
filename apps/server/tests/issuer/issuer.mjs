// A certified OpenID Connect issuer for the tests: node issuer.mjs <module of oidc-provider> <redirect address>
// Prints its address and ends when its standard input ends, so it never outlives the test.
// PUT /test/accounts/{name} with claims makes somebody who can sign in there; POST /test/keys gives it another key.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

const [module, redirect] = process.argv.slice(2);
const { Provider } = await import(module);
const accounts = new Map();
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

function key(id) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: id, alg: "ES256", use: "sig" };
}

function start(id) {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "nitejar",
        client_secret: "a-client-secret-canary",
        redirect_uris: [redirect],
        id_token_signed_response_alg: "ES256",
      },
      {
        client_id: "public",
        token_endpoint_auth_method: "none",
        redirect_uris: [redirect],
        id_token_signed_response_alg: "ES256",
      },
    ],
    claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"], groups: ["groups"] },
    cookies: { keys: ["a key for cookies"] },
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    findAccount: (_context, name) =>
      accounts.has(name) && { accountId: name, claims: () => ({ sub: name, ...accounts.get(name) }) },
    jwks: { keys: [key(id)] },
  });
  return provider.callback();
}

let keys = 1;
let answer = start(`key-${keys}`);

async function text(request) {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}

// Other issuers on the same machine, as nobody should be believed or waited for.
function lie(path, response) {
  const own = `${issuer}/${path}`;
  const said = {
    issuer: path === "stranger" ? issuer : own,
    authorization_endpoint: `${own}/auth`,
    token_endpoint: `${own}/token`,
    jwks_uri: path === "metadata" ? "http://169.254.169.254/keys" : `${own}/keys`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  };
  response.setHeader("content-type", "application/json");
  if (path !== "endless") return response.end(JSON.stringify(said));
  const more = () => {
    while (response.write(" ".repeat(65536)));
    response.once("drain", more);
  };
  return more();
}

server.on("request", async (request, response) => {
  const [, first, second, name] = request.url.split("/");
  if (first === "test" && second === "accounts") {
    accounts.set(name, JSON.parse(await text(request)));
    return response.end();
  }
  if (first === "test" && second === "keys") {
    keys += 1;
    answer = start(`key-${keys}`);
    return response.end();
  }
  if (["metadata", "stranger", "endless"].includes(first)) return lie(first, response);
  return answer(request, response);
});

console.log(issuer);
// Nobody reads on.
console.info = console.error;
console.log = console.error;
process.stdin.on("end", () => process.exit()).resume();
