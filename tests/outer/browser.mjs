// A person with a browser of their own, and what they do and see at the product. What they see is kept as pictures.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { address, setting } from "./product.mjs";
import { chromium } from "../.tools/node/node_modules/playwright-core/index.mjs";

const screens = setting("SCREENS");

export function openBrowser() {
  return chromium.launch({
    executablePath: setting("CHROMIUM"),
    chromiumSandbox: process.getuid() !== 0,
    args: [
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-gpu",
      "--disable-quic",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
      "--no-first-run",
    ],
  });
}

/** Runs `act(page, look)` as someone without cookies; `look(what)` keeps a picture, and so does a failure. */
export async function person(browser, name, act, options = {}) {
  await mkdir(screens, { recursive: true });
  const context = await browser.newContext(options);
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  let pictures = 0;
  const look = (what) => page.screenshot({ path: `${screens}/${name}-${++pictures}-${what}.png`, fullPage: true });
  try {
    await act(page, look);
  } catch (error) {
    await look("failed");
    throw error;
  } finally {
    await context.close();
  }
}

/** From the application to the product's sign-in page, which sends the browser on to the identity provider. */
export async function goToSignIn(page, email, look) {
  await page.goto(`${address}/app`);
  await look("application");
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.fill("[name=email]", email);
  await look("sign-in");
  await page.press("[name=email]", "Enter");
}

/** The application knows who came. */
export async function seeSignedIn(page, { email, organization, role }, look) {
  await page.waitForURL(`${address}/app`);
  await look("signed-in");
  const seen = await page.innerText("body");
  assert.ok(seen.includes(email), seen);
  assert.ok(seen.includes(organization), seen);
  assert.match(seen, new RegExp(`(^|\\s)${role}(\\s|$)`));
}

/** A short page with a reference number. */
export async function seeReference(page, look) {
  const reference = await page.textContent("[data-reference]");
  await look("refused");
  assert.match(reference, /^[0-9A-Z]{5}-[0-9A-Z]{5}$/);
}

/** The application knows nobody. */
export async function seeSignedOut(page) {
  await page.goto(`${address}/app`);
  await page.getByRole("link", { name: "Sign in" }).waitFor();
}
