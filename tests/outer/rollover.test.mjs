// A customer whose Keycloak changes its key: the connection is by the address of the metadata, and nobody is refused.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { goToSignIn, openBrowser, person, seeSignedIn } from "./browser.mjs";
import { Realm, signInAtKeycloak } from "./keycloak.mjs";
import { connectByAddress, connectionOf, customer, events } from "./product.mjs";

const domain = "rollover-customer.example";
const ada = `ada@${domain}`;

describe("a customer whose Keycloak changes its key", () => {
  let browser, realm, organization, first;

  before(async () => {
    browser = await openBrowser();
    realm = await Realm.create("rollover");
    organization = await customer("Rollover Customer", domain);
    const connection = await connectByAddress(organization, realm.metadataUrl);
    assert.equal(connection.refresh.url, realm.metadataUrl);
    first = fingerprints(connection);
    await realm.trust(await (await fetch(connection.metadata_url)).text());
    await realm.addUser(ada);
  });

  after(() => browser?.close());

  const signsIn = (name) =>
    person(browser, name, async (page, look) => {
      await goToSignIn(page, ada, look);
      await page.waitForSelector("#kc-login");
      await signInAtKeycloak(page, ada);
      await seeSignedIn(page, { email: ada, organization: organization.name, role: "user" }, look);
    });

  it("signs a person in with the first key", () => signsIn("rollover-first-key"));

  it("signs a person in with a key that is used from one moment to the next", async () => {
    await realm.addSigningKey();
    await signsIn("rollover-new-key");
    const both = fingerprints(await connectionOf(organization));
    assert.equal(both.length, first.length + 1, "the old key is published still, and so it is trusted still");
    assert.ok(first.every((fingerprint) => both.includes(fingerprint)));
    const { items } = await events(organization);
    const change = items.find((event) => event.action === "connection.changed");
    assert.equal(change.actor.type, "system");
    assert.deepEqual(change.before.certificates.map((certificate) => certificate.fingerprint), first);
  });

  it("signs a person in with the key that is known by now", () => signsIn("rollover-known-key"));
});

function fingerprints(connection) {
  return connection.certificates.map((certificate) => certificate.fingerprint);
}
