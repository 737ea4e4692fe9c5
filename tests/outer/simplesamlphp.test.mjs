// A customer whose identity provider is SimpleSAMLphp: another implementation of signatures and of encryption.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { goToSignIn, openBrowser, person, seeReference, seeSignedIn, seeSignedOut } from "./browser.mjs";
import { connect, customer, found, rotateKeys } from "./product.mjs";
import { choose, metadata, signInAtSimpleSamlPhp, trust } from "./simplesamlphp.mjs";

const domain = "simplesamlphp-customer.example";
const ada = `ada@${domain}`;
const mallory = "mallory@elsewhere.example";

describe("a customer with SimpleSAMLphp", () => {
  let browser, organization, connection;

  const ourMetadata = async () => (await fetch(connection.metadata_url)).text();

  before(async () => {
    browser = await openBrowser();
    organization = await customer("SimpleSAMLphp Customer", domain);
    connection = await connect(organization, await metadata());
    await trust(await ourMetadata());
  });

  after(() => browser?.close());

  const signsIn = (name) =>
    person(browser, `simplesamlphp-${name}`, async (page, look) => {
      await signIn(page, ada, look);
      await seeSignedIn(page, { email: ada, organization: organization.name, role: "user" }, look);
    });

  it("signs a person in with a signed assertion", async () => {
    await choose({ "saml20.sign.response": false, "saml20.sign.assertion": true });
    await signsIn("signed-assertion");
    assert.equal(await found(organization, "decryption"), "not encrypted");
  });

  it("signs a person in with a signed response around the assertion", async () => {
    await choose({ "saml20.sign.response": true, "saml20.sign.assertion": false });
    await signsIn("signed-response");
  });

  for (const response of [true, false]) {
    it(`signs a person in with an encrypted assertion in ${response ? "a signed response" : "a response that is not signed"}`, async () => {
      await choose({ "assertion.encryption": true, "saml20.sign.response": response, "saml20.sign.assertion": true });
      await signsIn(`encrypted-${response}`);
      assert.equal(await found(organization, "decryption"), "decrypted");
    });
  }

  it("goes on encrypting to the key that it knows when ours is rotated, and to the next one when it has read of it", async () => {
    await choose({ "assertion.encryption": true });
    const before = await ourMetadata();
    await rotateKeys();
    await signsIn("rotated-late");
    assert.notEqual(await ourMetadata(), before);
    await trust(await ourMetadata());
    // A process that has just read our keys looks for others ten seconds later.
    await setTimeout(10_000);
    await signsIn("rotated");
    assert.equal(await found(organization, "decryption"), "decrypted");
  });

  it("refuses an address of a domain that the customer has not verified, encrypted or not", () =>
    person(browser, "simplesamlphp-other-domain", async (page, look) => {
      await signIn(page, mallory, look);
      await seeReference(page, look);
      await seeSignedOut(page);
    }));
});

async function signIn(page, email, look) {
  await goToSignIn(page, ada, look);
  await page.waitForSelector("[name=username]");
  await look("simplesamlphp");
  await signInAtSimpleSamlPhp(page, email);
}
