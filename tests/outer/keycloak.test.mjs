// A customer whose identity provider is Keycloak: who gets in, and who does not.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { goToSignIn, openBrowser, person, seeReference, seeSignedIn, seeSignedOut } from "./browser.mjs";
import { Realm, signInAtKeycloak } from "./keycloak.mjs";
import { connect, customer, events, found, loginOptions, sampleApplication } from "./product.mjs";

const domain = "keycloak-customer.example";
const ada = `ada@${domain}`;
const mallory = "mallory@elsewhere.example";

const aes = (name) => `http://www.w3.org/${name.includes("gcm") ? "2009/xmlenc11" : "2001/04/xmlenc"}#${name}`;
/** How Keycloak encrypts, by its client's attributes. */
const encryptions = {
  "aes256-gcm": {
    "saml.encryption.algorithm": aes("aes256-gcm"),
    "saml.encryption.keyAlgorithm": "http://www.w3.org/2009/xmlenc11#rsa-oaep",
    "saml.encryption.digestMethod": "http://www.w3.org/2001/04/xmlenc#sha256",
    "saml.encryption.maskGenerationFunction": "http://www.w3.org/2009/xmlenc11#mgf1sha256",
  },
  "aes128-cbc": {
    "saml.encryption.algorithm": aes("aes128-cbc"),
    "saml.encryption.keyAlgorithm": "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
    "saml.encryption.digestMethod": "http://www.w3.org/2000/09/xmldsig#sha1",
    "saml.encryption.maskGenerationFunction": "http://www.w3.org/2009/xmlenc11#mgf1sha1",
  },
};

describe("a customer with Keycloak", () => {
  let browser, realm, client, organization, connection;

  before(async () => {
    browser = await openBrowser();
    realm = await Realm.create("customer");
    organization = await customer("Keycloak Customer", domain);
    assert.equal((await loginOptions(ada)).sso, "none");
    connection = await connect(organization, await realm.metadata());
    client = await realm.trust(await (await fetch(connection.metadata_url)).text());
    await realm.addUser(ada, `${organization.group_suffix}-user`);
    await realm.addUser(mallory);
  });

  after(() => browser?.close());

  it("offers single sign-on to people of the verified domain", async () => {
    assert.equal((await loginOptions(ada)).sso, "optional");
    assert.equal((await loginOptions(mallory)).sso, "none");
  });

  it("signs a person in to the application with e-mail, organization and role", () =>
    person(browser, "keycloak-signs-in", async (page, look) => {
      await signIn(page, ada, look);
      await seeSignedIn(page, { email: ada, organization: organization.name, role: "user" }, look);
    }));

  it("encrypted the assertion of its own accord, having read our metadata", async () => {
    assert.equal(await found(organization, "decryption"), "decrypted");
  });

  it("tells of the new member in the audit trail", async () => {
    assert.ok(JSON.stringify(await events(organization)).includes(ada));
  });

  it("refuses an address of a domain that the customer has not verified", () =>
    person(browser, "keycloak-other-domain", async (page, look) => {
      await signIn(page, mallory, look);
      await seeReference(page, look);
      await seeSignedOut(page);
    }));

  it("refuses a response that was changed on its way", async () => {
    // Keycloak encrypts to whoever has a certificate for it in the metadata; what can be changed has to be readable.
    await realm.adjust(client, { "saml.encrypt": "false" });
    await person(browser, "keycloak-changed", async (page, look) => {
      await page.route(connection.acs_url, (route) => {
        const form = new URLSearchParams(route.request().postData());
        const response = Buffer.from(form.get("SAMLResponse"), "base64").toString();
        assert.ok(response.includes(ada));
        form.set("SAMLResponse", Buffer.from(response.replaceAll(ada, `owner@${domain}`)).toString("base64"));
        return route.continue({ postData: form.toString() });
      });
      await signIn(page, ada, look);
      await seeReference(page, look);
      await seeSignedOut(page);
    });
  });

  it("refuses a response that was used before", () =>
    person(browser, "keycloak-replayed", async (page, look) => {
      const posted = page.waitForRequest((request) => request.url() === connection.acs_url && request.method() === "POST");
      await signIn(page, ada, look);
      const form = Object.fromEntries(new URLSearchParams((await posted).postData()));
      await seeSignedIn(page, { email: ada, organization: organization.name, role: "user" }, look);
      await post(page, connection.acs_url, form);
      await seeReference(page, look);
    }));

  for (const [method, attributes] of Object.entries(encryptions)) {
    it(`signs a person in with an assertion encrypted by ${method}`, async () => {
      await realm.adjust(client, { "saml.encrypt": "true", ...attributes });
      await person(browser, `keycloak-encrypted-${method}`, async (page, look) => {
        await signIn(page, ada, look);
        await seeSignedIn(page, { email: ada, organization: organization.name, role: "user" }, look);
      });
      assert.equal(await found(organization, "decryption"), "decrypted");
    });
  }

  it("refuses who begins at Keycloak, unless they are to be sent to an application, which then signs them in", async () => {
    const portal = await realm.portal(client);
    await person(browser, "keycloak-portal-closed", async (page, look) => {
      await page.goto(portal);
      await signInAtKeycloak(page, ada);
      await seeReference(page, look);
      await seeSignedOut(page);
    });
    const options = { idp_initiated_application: await sampleApplication() };
    await connect(organization, await realm.metadata(), { options });
    await person(browser, "keycloak-portal-open", async (page, look) => {
      await page.goto(portal);
      await signInAtKeycloak(page, ada);
      await seeSignedIn(page, { email: ada, organization: organization.name, role: "user" }, look);
    });
  });

  it("refuses a signature with SHA-1", async () => {
    await realm.adjust(client, { "saml.encrypt": "false", "saml.signature.algorithm": "RSA_SHA1" });
    await person(browser, "keycloak-sha-1", async (page, look) => {
      await signIn(page, ada, look);
      await seeReference(page, look);
      await seeSignedOut(page);
    });
  });
});

async function signIn(page, email, look) {
  await goToSignIn(page, ada, look);
  await page.waitForSelector("#kc-login");
  await look("keycloak");
  await signInAtKeycloak(page, email);
}

/** Posts a form as a page of another site would make the browser do. */
function post(page, action, fields) {
  return page.evaluate(
    ({ action, fields }) => {
      const form = document.body.appendChild(document.createElement("form"));
      Object.assign(form, { action, method: "post" });
      for (const [name, value] of Object.entries(fields)) {
        form.appendChild(Object.assign(document.createElement("input"), { name, value }));
      }
      form.submit();
    },
    { action, fields },
  );
}
