// Keycloak as the identity provider of a customer, set up over its admin interface.
import assert from "node:assert/strict";
import { setting } from "./product.mjs";

const address = setting("KEYCLOAK_URL");
const password = "correct horse battery staple";

export class Realm {
  constructor(name) {
    this.name = name;
  }

  static async create(name) {
    await admin("POST", "", { realm: name, enabled: true });
    return new Realm(name);
  }

  get metadataUrl() {
    return `${address}/realms/${this.name}/protocol/saml/descriptor`;
  }

  async metadata() {
    const response = await fetch(this.metadataUrl);
    assert.equal(response.status, 200);
    return response.text();
  }

  /** Trusts a service provider by its metadata, as an administrator does who imports the file. Returns the client's id. */
  async trust(metadata) {
    const client = await admin("POST", `/${this.name}/client-description-converter`, metadata);
    const created = await admin("POST", `/${this.name}/clients`, {
      ...client,
      protocolMappers: [
        mapper("email", "saml-user-property-mapper", { "user.attribute": "email" }),
        mapper("groups", "saml-group-membership-mapper", { single: "true", "full.path": "false" }),
      ],
    });
    return created.id;
  }

  /** Changes attributes of a client, such as the signature algorithm. */
  async adjust(client, attributes) {
    const now = await admin("GET", `/${this.name}/clients/${client}`);
    await admin("PUT", `/${this.name}/clients/${client}`, { ...now, attributes: { ...now.attributes, ...attributes } });
  }

  /** Makes a key that signs from now on. The present one stays published. */
  async addSigningKey() {
    const { id } = await admin("GET", `/${this.name}`);
    await admin("POST", `/${this.name}/components`, {
      name: "next",
      parentId: id,
      providerId: "rsa-generated",
      providerType: "org.keycloak.keys.KeyProvider",
      config: { priority: ["1000"], enabled: ["true"], active: ["true"], algorithm: ["RS256"], keySize: ["2048"] },
    });
  }

  /** Where a sign-in to a client begins at Keycloak itself. */
  async portal(client) {
    await this.adjust(client, { saml_idp_initiated_sso_url_name: "portal" });
    return `${address}/realms/${this.name}/protocol/saml/clients/portal`;
  }

  async addUser(email, ...groups) {
    for (const name of groups) await admin("POST", `/${this.name}/groups`, { name });
    await admin("POST", `/${this.name}/users`, {
      username: email,
      email,
      emailVerified: true,
      firstName: "Test",
      lastName: "Person",
      enabled: true,
      credentials: [{ type: "password", value: password, temporary: false }],
      groups,
    });
  }
}

/** Fills in Keycloak's sign-in form. */
export async function signInAtKeycloak(page, email) {
  await page.fill("#username", email);
  await page.fill("#password", password);
  await page.click("#kc-login");
}

function mapper(name, protocolMapper, config) {
  return {
    name,
    protocol: "saml",
    protocolMapper,
    config: { "attribute.name": name, "attribute.nameformat": "Basic", ...config },
  };
}

async function admin(method, path, body) {
  const text = typeof body === "string";
  const response = await fetch(`${address}/admin/realms${path}`, {
    method,
    headers: { authorization: `Bearer ${await token()}`, "content-type": text ? "text/plain" : "application/json" },
    body: text ? body : JSON.stringify(body),
  });
  const answer = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${answer}`);
  return answer ? JSON.parse(answer) : { id: response.headers.get("location")?.split("/").at(-1) };
}

// Keycloak's administrators get tokens for a minute only, so each call asks for one.
async function token() {
  const response = await fetch(`${address}/realms/master/protocol/openid-connect/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "password",
      client_id: "admin-cli",
      username: setting("KC_BOOTSTRAP_ADMIN_USERNAME"),
      password: setting("KC_BOOTSTRAP_ADMIN_PASSWORD"),
    }),
  });
  assert.equal(response.status, 200);
  return (await response.json()).access_token;
}
