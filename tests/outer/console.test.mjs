// The console in a browser: with a keyboard, by its looks, on a phone, and by what screen readers get of it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { goToSignIn, openBrowser, person } from "./browser.mjs";
import { address, connect, customer } from "./product.mjs";

const axe = await readFile(new URL("../.tools/node/node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const domain = "console-customer.example";
const owner = `owner@${domain}`;

const looks = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 860 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 860 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  "phone-dark": { colorScheme: "dark", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

describe("the console", () => {
  let browser;

  before(async () => {
    browser = await openBrowser();
    const organization = await customer("Console Customer", domain);
    await connect(organization, await (await fetch(`${address}/idp/metadata`)).text(), { shared_identity_provider: true });
  });

  after(() => browser?.close());

  for (const [name, options] of Object.entries(looks)) {
    it(`is legible and named for everybody, ${name}`, () =>
      person(browser, `console-${name}`, (page, look) => everyPage(page, look), { ...options, bypassCSP: true }));
  }

  it("works by the keyboard alone", () => person(browser, "console-keyboard", byKeyboard));

  it("works without scripts", () =>
    person(browser, "console-scriptless", withoutScripts, { javaScriptEnabled: false, acceptDownloads: true }));

  it("says how far a download is, and saves it", () =>
    person(browser, "console-download", download, { acceptDownloads: true }));

  it("runs nothing that is not its own script", () => person(browser, "console-policy", policy));
});

async function everyPage(page, look) {
  await page.goto(`${address}/settings/sign-in`);
  await sound(page, look, "sign-in");
  await page.fill("[name=email]", owner);
  await page.press("[name=email]", "Enter");
  await page.waitForURL("**/sign-in/code**");
  await sound(page, look, "code");
  await page.fill("[name=code]", "00000000");
  await page.press("[name=code]", "Enter");
  await page.getByRole("alert").waitFor();
  await sound(page, look, "wrong-code");
  await page.fill("[name=code]", await code());
  await page.press("[name=code]", "Enter");
  await page.waitForURL("**/settings/identity");
  await sound(page, look, "identity");
  await page.click("summary");
  await sound(page, look, "menu");
  await page.fill("[name=domain]", "co.uk");
  await page.press("[name=domain]", "Enter");
  await page.getByRole("alert").waitFor();
  await sound(page, look, "refused-domain");
  await page.fill("[name=domain]", "next.example");
  await page.press("[name=domain]", "Enter");
  await page.waitForURL("**/domains/next.example");
  await sound(page, look, "pending-domain");
  await page.getByRole("button", { name: "Refresh now" }).click();
  await page.getByText(/^Asked /).waitFor();
  await sound(page, look, "refreshed-domain");
  await page.getByRole("link", { name: "Remove domain…" }).click();
  await page.waitForURL("**/remove");
  await sound(page, look, "remove-domain");
  await page.getByRole("button", { name: "Remove domain" }).click();
  await page.waitForURL("**/settings/identity");
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Domain memberships" }).click();
  await page.waitForURL("**/domain-memberships");
  await sound(page, look, "domain-memberships");
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Single sign-on" }).click();
  await page.waitForURL("**/sign-ins");
  await sound(page, look, "sign-ins");
  await page.getByLabel("Reference number").fill((await refusedSignIn(page)).toLowerCase());
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "What to change" }).waitFor();
  await sound(page, look, "trace");
  await page.goto(`${address}/settings/nothing`);
  await sound(page, look, "not-found");
}

/** Somebody is refused elsewhere, and gives the reference number. */
async function refusedSignIn(page) {
  const context = await page.context().browser().newContext();
  const visitor = await context.newPage();
  await goToSignIn(visitor, `grace@${domain}`, () => {});
  await visitor.waitForURL(`${address}/idp**`);
  await visitor.fill("[name=email]", "grace@elsewhere.example");
  await visitor.press("[name=email]", "Enter");
  const reference = await visitor.textContent("[data-reference]");
  await context.close();
  return reference;
}

/** Nothing is cut off sideways, and axe finds nothing wrong. */
async function sound(page, look, what) {
  await look(what);
  const [width, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width <= inner, `${what} is ${width} wide in a window of ${inner}`);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(found, [], what);
}

async function byKeyboard(page, look) {
  await page.goto(`${address}/settings/sign-in`);
  await page.keyboard.type(owner);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/sign-in/code**");
  await page.keyboard.type(await code());
  await page.keyboard.press("Enter");
  await page.waitForURL("**/settings/identity");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to the content");
  await look("skip");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "View domain memberships", "past the navigation");
  for (let presses = 0; (await focused(page)) !== "domain" && presses < 10; presses++) await page.keyboard.press("Tab");
  await look("field");
  await page.keyboard.type("keyboard.example");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/domains/keyboard.example");
  // Every stop can be seen.
  for (let presses = 0; presses < 12; presses++) {
    await page.keyboard.press("Tab");
    const [tag, outline] = await page.evaluate(() => {
      const { tagName } = document.activeElement;
      return [tagName, getComputedStyle(document.activeElement).outlineStyle];
    });
    if (tag === "BODY") break;
    assert.notEqual(outline, "none", await focused(page));
  }
}

function focused(page) {
  return page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
}

async function withoutScripts(page, look) {
  await signIn(page);
  await page.goto(`${address}/settings/identity/domain-memberships`);
  const beginning = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download CSV" }).click().catch(() => {});
  const download = await beginning;
  await look("download");
  const text = await readFile(await download.path(), "utf8");
  assert.match(download.suggestedFilename(), /^domain-memberships-[0-9-]+\.csv$/);
  assert.ok(text.includes(owner), text);
  await page.goto(`${address}/settings/identity/domains/${domain}`);
  assert.equal(await page.getByRole("button", { name: "Copy the name" }).count(), 0, "what needs a script is not shown");
}

async function download(page, look) {
  await signIn(page);
  await page.goto(`${address}/settings/identity/domain-memberships`);
  const saved = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download JSON" }).click();
  const file = await saved;
  await page.getByText(/is complete: [0-9]+ kB/).waitFor();
  await look("complete");
  const { items, count } = JSON.parse(await readFile(await file.path(), "utf8"));
  assert.equal(items.length, count);
  assert.ok(items.some(({ email, inside_parent }) => email === owner && inside_parent));
}

async function policy(page) {
  const refused = [];
  page.on("console", (message) => message.text().includes("Content Security Policy") && refused.push(message.text()));
  await signIn(page);
  await page.goto(`${address}/settings/identity/domains/${domain}`);
  assert.deepEqual(refused, [], "our own pages break no rule of theirs");
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'run'";
    document.body.append(script);
  });
  assert.notEqual(await page.title(), "run");
  assert.equal(refused.length, 1);
}

async function signIn(page) {
  await page.goto(`${address}/settings/sign-in`);
  await page.fill("[name=email]", owner);
  await page.press("[name=email]", "Enter");
  await page.waitForURL("**/sign-in/code**");
  await page.fill("[name=code]", await code());
  await page.press("[name=code]", "Enter");
  await page.waitForURL("**/settings/identity");
}

let taken = 0;

/** The code of the latest mail, once it is there. */
async function code() {
  for (let tries = 0; tries < 100; tries++) {
    const { mails } = await (await fetch(`${address}/mailbox`, { headers: { accept: "application/json" } })).json();
    const latest = mails.find(({ to, subject }) => to.includes(owner) && subject === "Your sign-in code");
    if (latest && latest.id > taken) {
      taken = latest.id;
      return latest.text.match(/: ([0-9]{4}) ([0-9]{4})/).slice(1).join("");
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("no code came");
}
