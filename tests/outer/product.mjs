// The running product, through the management API that the vendor's backend uses.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

/** What `tests/run` passes in the environment. */
export function setting(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: the stories are started by tests/run`);
  return value;
}

export const address = setting("VESTIBULE_URL");

/** An organization with just-in-time provisioning whose parent has verified the domain. */
export async function customer(name, domain) {
  const organization = await api("POST", "/organizations", { name, surface: "claudeai", primary_owner: `owner@${domain}` });
  await api("PUT", `/organizations/${organization.id}/provisioning`, { mode: "jit", group_mappings: false });
  const claim = await api("POST", `/parents/${organization.parent_id}/domains`, { domain });
  await publish(claim.record);
  const { status } = await api("POST", `/parents/${organization.parent_id}/domains/${domain}/refresh`);
  assert.equal(status, "verified");
  return { ...organization, name, domain };
}

/** Trusts an identity provider by its metadata. */
export function connect({ parent_id }, metadata_xml, more = {}) {
  return api("PUT", `/parents/${parent_id}/connection`, { metadata_xml, ...more });
}

/** Trusts an identity provider by the address of its metadata. */
export function connectByAddress({ parent_id }, metadata_url) {
  return api("PUT", `/parents/${parent_id}/connection`, { metadata_url });
}

export function connectionOf({ parent_id }) {
  return api("GET", `/parents/${parent_id}/connection`);
}

export function loginOptions(email) {
  return api("GET", `/login-options?${new URLSearchParams({ email, surface: "claudeai" })}`);
}

export function events({ parent_id }) {
  return api("GET", `/parents/${parent_id}/events`);
}

/** The sample application's client_id. */
export async function sampleApplication() {
  const { items } = await api("GET", "/applications");
  return items.find(({ name }) => name === "Sample application").client_id;
}

/** What the trace of the last sign-in found at a check. */
export async function found({ parent_id }, check) {
  const [last] = (await api("GET", `/parents/${parent_id}/sign-ins?limit=1`)).items;
  return last.checks.find(({ name }) => name === check).found;
}

/** Publishes the next keys of the deployment. */
export function rotateKeys() {
  return api("POST", "/service-provider/keys/rotate", { notice_days: 30 });
}

async function publish({ name, type, value }) {
  const response = await fetch(`${address}/dns/${name}/${type}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ values: [value] }),
  });
  assert.ok(response.ok, `publishing ${name}: ${response.status} ${await response.text()}`);
}

async function api(method, path, body) {
  const response = await fetch(`${address}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${setting("VESTIBULE_KEY")}`,
      ...(method === "POST" && { "idempotency-key": randomUUID() }),
      ...(body && { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(body),
  });
  const answer = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${answer}`);
  return answer ? JSON.parse(answer) : undefined;
}
