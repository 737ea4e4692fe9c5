// A customer with the identity provider that the local product brings along.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { goToSignIn, openBrowser, person, seeReference, seeSignedIn, seeSignedOut } from "./browser.mjs";
import { address, connect, customer } from "./product.mjs";

const domain = "test-customer.example";
const grace = `grace@${domain}`;

describe("a customer with the test identity provider", () => {
  let browser, organization;

  before(async () => {
    browser = await openBrowser();
    organization = await customer("Test Customer", domain);
    // The demo customer trusts it too.
    await connect(organization, await (await fetch(`${address}/idp/metadata`)).text(), { shared_identity_provider: true });
  });

  after(() => browser?.close());

  it("signs a person in to the application with e-mail, organization and role", () =>
    person(browser, "test-idp-signs-in", async (page, look) => {
      await goToSignIn(page, grace, look);
      await signInAtTestIdp(page, grace, look);
      await seeSignedIn(page, { email: grace, organization: organization.name, role: "user" }, look);
    }));

  it("refuses an address of a domain that the customer has not verified", () =>
    person(browser, "test-idp-other-domain", async (page, look) => {
      await goToSignIn(page, grace, look);
      await signInAtTestIdp(page, "grace@elsewhere.example", look);
      await seeReference(page, look);
      await seeSignedOut(page);
    }));
});

async function signInAtTestIdp(page, email, look) {
  await page.waitForURL(`${address}/idp**`);
  await page.fill("[name=email]", email);
  await look("test-idp");
  await page.press("[name=email]", "Enter");
}
