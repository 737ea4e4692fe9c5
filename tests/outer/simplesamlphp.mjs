// SimpleSAMLphp as the identity provider of a customer, set up by its files.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { setting } from "./product.mjs";

const address = setting("SIMPLESAMLPHP_URL");
const state = setting("SIMPLESAMLPHP_STATE");

export async function metadata() {
  const response = await fetch(`${address}/simplesaml/saml2/idp/metadata.php`);
  assert.equal(response.status, 200);
  return response.text();
}

/** Trusts a service provider by its metadata. */
export function trust(metadata) {
  return writeFile(`${state}/service-provider.xml`, metadata);
}

/** Sets options of saml20-idp-hosted.php. */
export function choose(options) {
  return writeFile(`${state}/choices.json`, JSON.stringify(options));
}

/** Fills in its sign-in form. */
export async function signInAtSimpleSamlPhp(page, email) {
  await page.fill("[name=username]", email);
  await page.fill("[name=password]", "password");
  await page.press("[name=password]", "Enter");
}
