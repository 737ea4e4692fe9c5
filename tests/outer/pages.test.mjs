// The pages that a developer of the vendor opens first.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openBrowser, person } from "./browser.mjs";
import { address } from "./product.mjs";

const pages = { start: "/", application: "/app", mailbox: "/mailbox", dns: "/dns", "test-idp": "/idp" };

describe("each page of the local product has a language, a title and one heading, without scripts too", () => {
  let browser;

  before(async () => {
    browser = await openBrowser();
  });

  after(() => browser?.close());

  for (const [name, path] of Object.entries(pages)) {
    it(path, () =>
      person(browser, `page-${name}`, (page, look) => see(page, path, look), { javaScriptEnabled: false }));
  }
});

async function see(page, path, look) {
  const response = await page.goto(`${address}${path}`);
  await look("shown");
  assert.equal(response.status(), 200);
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.notEqual(await page.title(), "");
  assert.equal(await page.locator("h1").count(), 1);
}
